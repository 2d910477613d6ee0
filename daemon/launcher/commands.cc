#include "daemon/launcher/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/suggest.h"
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

void Commands::on(Client client, const request::Status&) { ask_worker({client, Waiting::kStatus}); }

void Commands::on(Client client, const request::Hooks&) { ask_worker({client, Waiting::kHooks}); }

// Clients that ask while the worker is being asked share its answer.
void Commands::ask_worker(Waiting who) {
  const bool first = status_waiting_.empty();
  status_waiting_.push_back(who);
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
  const json status = status_of(service_, worker_json, loop_.now());
  const json hooks{{"ok", true}, {"hooks", status.at("hooks")}};
  for (const Waiting& who : std::exchange(status_waiting_, {})) {
    answer(who.client, who.what == Waiting::kStatus ? status : hooks);
  }
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

// From here on the client belongs to the worker, and sees its end.
void Commands::on(Client client, const request::Subscribe& asked) {
  if (!service_.crew().worker().takes_hooks()) {
    return answer(
        client,
        to_json({.kind = Refusal::Kind::kUnavailable, .error = "the worker is starting", .suggestion = "try again"}));
  }
  if (sys::Fd socket = server_.hand_over(client); socket.valid()) {
    service_.crew().subscribe(asked.line, std::move(socket));
  }
}

void Commands::on(Client client, const request::RestartHook& asked) {
  const std::vector<std::string> restarted =
      service_.restart_hook(asked.hook, asked.instance, fmt::format("uid:{}", server_.uid_of(client)));
  if (!restarted.empty()) return answer(client, {{"ok", true}, {"restarting", restarted}});
  std::vector<std::string_view> known;
  for (const HookPost& hook : service_.crew().hooks()) known.push_back(hook.name());
  const bool is_known = std::ranges::find(known, asked.hook) != known.end();
  std::string error = is_known ? fmt::format("hook {} has no instance {}", asked.hook, asked.instance)
                               : fmt::format("no hook '{}'{}", asked.hook, config::did_you_mean(asked.hook, known));
  answer(client, to_json({.kind = Refusal::Kind::kUsage, .error = std::move(error), .suggestion = {}}));
}

}  // namespace hooksmtpd::launcher
