#include "daemon/ctl/command.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "daemon/ctl/member.h"
#include "daemon/ctl/show.h"
#include "daemon/ctl/socket_path.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;

constexpr int kNotReady = 1;

}  // namespace

int status_of(const json& reply) {
  if (reply.at("ok") == true) return EX_OK;
  const std::string kind = string_member(reply, "kind");
  if (kind == "usage") return EX_USAGE;
  if (kind == "config" || kind == "restart-needed") return EX_CONFIG;
  if (kind == "permission") return EX_NOPERM;
  if (kind == "not-ready") return kNotReady;
  return EX_UNAVAILABLE;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const json& object) {
  print(object.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace) + "\n");
}

int fail(const Context& context, const Failure& failure) {
  if (context.as_json) print_json({{"ok", false}, {"kind", failure.kind}, {"error", failure.error}});
  fmt::print(stderr, "hooksmtpctl: {}\n", failure.error);
  return failure.status;
}

int refused(const Context& context, const json& reply) {
  if (context.as_json) {
    print_json(reply);
  } else {
    fmt::print(stderr, "hooksmtpctl: {}\n", show_error(reply));
  }
  return status_of(reply);
}

std::expected<json, Failure> ask_once(const Context& context, const json& request) {
  auto client = Client::connect(socket_path(context.socket));
  if (!client) return std::unexpected(client.error());
  return client->ask(request);
}

int finish(const Context& context, const json& reply, const Show& show) {
  if (status_of(reply) != EX_OK) return refused(context, reply);
  if (context.as_json) {
    print_json(reply);
  } else {
    print(show(reply));
  }
  return EX_OK;
}

int ask(const Context& context, const json& request, const Show& show) {
  const auto reply = ask_once(context, request);
  return reply ? finish(context, *reply, show) : fail(context, reply.error());
}

}  // namespace hooksmtpd::ctl
