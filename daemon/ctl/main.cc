// hooksmtpctl: asks the running daemon, through its control socket.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "config/spelling.h"
#include "daemon/ctl/client.h"
#include "daemon/ctl/show.h"
#include "daemon/ctl/socket_path.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kNotReady = 1;
constexpr std::chrono::milliseconds kBetweenQuestions{100};

struct Options {
  std::string socket;
  std::string timeout = "0s";
  std::string key, value;
  bool as_json = false;
  bool wait = false;
};

int status_of(const json& reply) {
  if (reply.at("ok") == true) return EX_OK;
  const std::string kind = reply.value("kind", "");
  if (kind == "usage") return EX_USAGE;
  if (kind == "config" || kind == "restart-needed") return EX_CONFIG;
  if (kind == "permission") return EX_NOPERM;
  if (kind == "not-ready") return kNotReady;
  return EX_UNAVAILABLE;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const json& reply) { print(reply.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"); }

int fail(const Options& options, const Failure& failure) {
  if (options.as_json) print_json({{"ok", false}, {"kind", failure.kind}, {"error", failure.error}});
  fmt::print(stderr, "hooksmtpctl: {}\n", failure.error);
  return failure.status;
}

// Prints `reply`; for people, as `show` has it.
template <class Show>
int finish(const Options& options, const json& reply, Show show) {
  const int status = status_of(reply);
  if (options.as_json) {
    print_json(reply);
  } else if (status == EX_OK) {
    print(show(reply));
  } else {
    fmt::print(stderr, "hooksmtpctl: {}\n", show_error(reply));
  }
  return status;
}

std::expected<json, Failure> ask_once(const Options& options, const json& request) {
  auto client = Client::connect(socket_path(options.socket));
  if (!client) return std::unexpected(client.error());
  return client->ask(request);
}

template <class Show>
int ask(const Options& options, const json& request, Show show) {
  const auto reply = ask_once(options, request);
  return reply ? finish(options, *reply, show) : fail(options, reply.error());
}

int status(const Options& options) { return ask(options, {{"command", "status"}}, show_status); }

// Also waits for a daemon that is only just starting: its socket may not be there yet.
int ready(const Options& options) {
  const auto timeout = config::parse_duration(options.timeout, config::Milliseconds(0), std::chrono::hours(24));
  if (!timeout) return fail(options, {EX_USAGE, "usage", "--timeout " + timeout.error()});
  const auto end = Clock::now() + *timeout;
  while (true) {
    const auto reply = ask_once(options, {{"command", "ready"}});
    const bool over = Clock::now() >= end;
    if (reply && (over || status_of(*reply) == EX_OK)) {
      return finish(options, *reply, [](const json&) { return std::string("ready\n"); });
    }
    if (!reply && (over || reply.error().kind != "not-running")) return fail(options, reply.error());
    std::this_thread::sleep_for(kBetweenQuestions);
  }
}

int configure(const Options& options) {
  return ask(options, {{"command", "configure"}, {"key", options.key}, {"value", options.value}}, show_changes);
}

int cget(const Options& options) {
  json request{{"command", "cget"}};
  if (!options.key.empty()) request["key"] = options.key;
  return ask(options, request, [&](const json& reply) { return show_settings(reply, !options.key.empty()); });
}

int reload(const Options& options) { return ask(options, {{"command", "reload"}}, show_changes); }

int stop(const Options& options) {
  auto client = Client::connect(socket_path(options.socket));
  if (!client) return fail(options, client.error());
  const auto reply = client->ask({{"command", "stop"}, {"wait", options.wait}});
  if (!reply) return fail(options, reply.error());
  if (options.wait && status_of(*reply) == EX_OK) client->wait_for_end();
  return finish(options, *reply, [&](const json&) { return std::string(options.wait ? "stopped\n" : "stopping\n"); });
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Asks the running hooksmtpd.", "hooksmtpctl");
  app.set_version_flag("--version", "hooksmtpctl " HOOKSMTPD_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // so that --json and --socket may stand anywhere
  app.add_flag("--json", options.as_json, "print the daemon's answer as one line of JSON");
  app.add_option("--socket", options.socket, "the daemon's control socket")->type_name("PATH");

  CLI::App* on_status = app.add_subcommand("status", "what listens, what runs, what was served");
  CLI::App* on_ready = app.add_subcommand("ready", "succeed when every hook is ready");
  on_ready->add_option("--timeout", options.timeout, "wait so long, also for the daemon itself")->type_name("10s");
  CLI::App* on_configure = app.add_subcommand("configure", "change a setting until the next reload");
  on_configure->add_option("KEY", options.key, "as in the configuration file: limits.recipients")->required();
  on_configure->add_option("VALUE", options.value)->required();
  CLI::App* on_cget = app.add_subcommand("cget", "print a setting, or all and where they come from");
  on_cget->add_option("KEY", options.key);
  CLI::App* on_reload = app.add_subcommand("reload", "read the configuration again");
  CLI::App* on_stop = app.add_subcommand("stop", "release the addresses, let sessions finish, stop");
  on_stop->add_flag("--wait", options.wait, "return when the daemon has stopped");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  if (on_status->parsed()) return status(options);
  if (on_ready->parsed()) return ready(options);
  if (on_configure->parsed()) return configure(options);
  if (on_cget->parsed()) return cget(options);
  if (on_reload->parsed()) return reload(options);
  return on_stop->parsed() ? stop(options) : EX_USAGE;
}

}  // namespace
}  // namespace hooksmtpd::ctl

int main(int argc, char** argv) try { return hooksmtpd::ctl::run(argc, argv); } catch (const std::exception& error) {
  fmt::print(stderr, "hooksmtpctl: {}\n", error.what());
  return EX_SOFTWARE;
}
