#include "daemon/launcher/commands.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "daemon/launcher/service.h"
#include "daemon/launcher/status.h"

namespace hooksmtpd::launcher {
namespace {

using nlohmann::json;

// A worker that is busy for longer is left out of `status`.
constexpr Loop::Milliseconds kWorkerAnswers = std::chrono::seconds(1);

json changed_reply(const Service::Outcome& changed) {
  if (!changed) return to_json(changed.error());
  json warnings = json::array();
  for (const config::Problem& warning : changed->warnings) warnings.push_back(config::to_string(warning));
  return {{"ok", true}, {"changed", changed->changes.reloadable}, {"warnings", std::move(warnings)}};
}

}  // namespace

Commands::Commands(Loop& loop, sys::Fd listener, Service& service)
    : loop_(loop),
      service_(service),
      server_(loop, std::move(listener), [this](Client client, std::string_view text) { line(client, text); }),
      worker_late_(loop, [this] { answer_status({}); }) {}

void Commands::line(Client client, std::string_view text) {
  const auto asked = parse_control_request(text);
  if (!asked) return answer(client, to_json(asked.error()));
  std::visit([&](const auto& one) { on(client, one); }, *asked);
}

void Commands::answer(Client client, const json& reply) { server_.reply(client, to_line(reply)); }

// Clients that ask while the worker is being asked share its answer.
void Commands::on(Client client, const request::Status&) {
  const bool first = status_waiting_.empty();
  status_waiting_.push_back(client);
  if (!first) return;
  if (!service_.crew().worker().takes_hooks()) return answer_status({});
  service_.crew().ask_status(++token_);
  worker_late_.start(kWorkerAnswers);
}

bool Commands::worker_status(std::uint32_t token, std::string_view json) {
  if (token > token_) return false;
  if (token == token_ && !status_waiting_.empty()) answer_status(json);
  return true;  // else it is late
}

void Commands::answer_status(std::string_view worker_json) {
  worker_late_.stop();
  const json reply = status_of(service_, worker_json, loop_.now());
  for (const Client client : std::exchange(status_waiting_, {})) answer(client, reply);
}

void Commands::on(Client client, const request::Ready&) { answer(client, readiness_of(service_)); }

void Commands::on(Client client, const request::Configure& asked) {
  const std::string who = fmt::format("uid:{}", server_.uid_of(client));
  service_.configure(asked.key, asked.value, who,
                     [this, client](const Service::Outcome& outcome) { answer(client, changed_reply(outcome)); });
}

void Commands::on(Client client, const request::Cget& asked) {
  const auto values = service_.config().get(asked.key);
  if (!values) return answer(client, to_json(values.error()));
  json list = json::array();
  for (const LiveConfig::Value& value : *values) {
    list.push_back({{"key", value.key}, {"value", value.value}, {"origin", value.origin}, {"help", value.help}});
  }
  answer(client, {{"ok", true}, {"values", std::move(list)}});
}

void Commands::on(Client client, const request::Reload&) {
  service_.reload(fmt::format("uid:{}", server_.uid_of(client)),
                  [this, client](const Service::Outcome& outcome) { answer(client, changed_reply(outcome)); });
}

void Commands::on(Client client, const request::Stop& asked) {
  const auto after = asked.wait ? ControlServer::After::kKeep : ControlServer::After::kClose;
  server_.reply(client, to_line({{"ok", true}, {"stopping", true}}), after);
  service_.stop("control");
}

}  // namespace hooksmtpd::launcher
