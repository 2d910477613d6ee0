// The commands that are one question to the daemon as a whole.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "config/spelling.h"
#include "daemon/ctl/command.h"
#include "daemon/ctl/show.h"
#include "daemon/ctl/socket_path.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenQuestions{100};

struct Options {
  std::string timeout = "0s";
  std::string key, value;
  bool wait = false;
};

// Also waits for a daemon that is only just starting: its socket may not be there yet.
int ready(const Context& context, const Options& options) {
  const auto timeout = config::parse_duration(options.timeout, config::Milliseconds(0), std::chrono::hours(24));
  if (!timeout) return fail(context, {EX_USAGE, "usage", "--timeout " + timeout.error()});
  const auto end = Clock::now() + *timeout;
  while (true) {
    const auto reply = ask_once(context, {{"command", "ready"}});
    const bool over = Clock::now() >= end;
    if (reply && (over || status_of(*reply) == EX_OK)) {
      return finish(context, *reply, [](const json&) { return std::string("ready\n"); });
    }
    if (!reply && (over || reply.error().kind != "not-running")) return fail(context, reply.error());
    std::this_thread::sleep_for(kBetweenQuestions);
  }
}

int cget(const Context& context, const Options& options) {
  json request{{"command", "cget"}};
  if (!options.key.empty()) request["key"] = options.key;
  return ask(context, request, [&](const json& reply) { return show_settings(reply, !options.key.empty()); });
}

int stop(const Context& context, const Options& options) {
  auto client = Client::connect(socket_path(context.socket));
  if (!client) return fail(context, client.error());
  const auto reply = client->ask({{"command", "stop"}, {"wait", options.wait}});
  if (!reply) return fail(context, reply.error());
  if (options.wait && status_of(*reply) == EX_OK) client->wait_for_end();
  return finish(context, *reply, [&](const json&) { return std::string(options.wait ? "stopped\n" : "stopping\n"); });
}

}  // namespace

void add_daemon_commands(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();  // the callbacks keep it
  const auto add = [&](const char* name, const char* what, auto run) {
    CLI::App* const command = app.add_subcommand(name, what);
    command->callback([&context, options, run] { context.status = run(context, *options); });
    return command;
  };
  const auto asking = [](const char* command, auto show) {
    return [=](const Context& asked, const Options&) { return ask(asked, {{"command", command}}, show); };
  };
  add("status", "what listens, what runs, what was served", asking("status", show_status));
  add("ready", "succeed when every hook is ready", ready)
      ->add_option("--timeout", options->timeout, "wait so long, also for the daemon itself")
      ->type_name("10s");
  CLI::App* const configure =
      add("configure", "change a setting until the next reload", [](const Context& asked, const Options& given) {
        return ask(asked, {{"command", "configure"}, {"key", given.key}, {"value", given.value}}, show_changes);
      });
  configure->add_option("KEY", options->key, "as in the configuration file: limits.recipients")->required();
  configure->add_option("VALUE", options->value)->required();
  add("cget", "print a setting, or all and where they come from", cget)->add_option("KEY", options->key);
  add("reload", "read the configuration again", asking("reload", show_changes));
  add("stop", "release the addresses, let sessions finish, stop", stop)
      ->add_flag("--wait", options->wait, "return when the daemon has stopped");
}

}  // namespace hooksmtpd::ctl
