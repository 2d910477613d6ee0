#include "daemon/launcher/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/launcher/comma_list.h"

namespace hooksmtpd::launcher {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxCounters = 64;  // that the worker may name

std::string_view to_string(Crew::Phase phase) {
  switch (phase) {
    case Crew::Phase::kStarting:
      return "starting";
    case Crew::Phase::kRunning:
      return "running";
    case Crew::Phase::kDraining:
      return "draining";
    default:
      return "stopping";
  }
}

std::string_view worker_state(const WorkerPost& worker) {
  switch (worker.stage()) {
    case WorkerStage::kServing:
      return "serving";
    case WorkerStage::kDraining:
      return "draining";
    case WorkerStage::kReady:
      return "waiting for hooks";
    default:
      return worker.own().process().up() ? "starting" : to_string(worker.own().process().state());
  }
}

// The pid in our own namespace where we know it; the one inside a jail would only mislead.
json pid_of(pid_t outside, const KeptProcess& process) {
  if (outside != 0) return outside;
  return process.up() && process.pid() > 2 ? json(process.pid()) : json();
}

std::uint32_t restarts_of(const KeptProcess& process) {
  return process.generation() == 0 ? 0 : process.generation() - 1;
}

// Copies counters: the worker reads from the network, so what it says stays a number.
void add_numbers(json& object, const json& from) {
  if (!from.is_object()) return;
  std::size_t count = 0;
  for (const auto& [key, value] : from.items()) {
    if (!value.is_number() || object.contains(key) || key.size() > 64 || ++count > kMaxCounters) continue;
    object[key] = value;
  }
}

// What the worker says of the hook in this slot; null: nothing.
json worker_view_of(const json& counted, std::uint32_t slot) {
  const auto hooks = counted.is_object() ? counted.find("hooks") : counted.end();
  if (hooks == counted.end() || !hooks->is_array()) return {};
  for (const json& one : *hooks) {
    if (!one.is_object()) continue;
    const auto number = one.find("slot");
    if (number != one.end() && number->is_number_unsigned() && *number == slot) return one;
  }
  return {};
}

json process_of(const OwnProcess& own, std::string_view state) {
  return {{"pid", pid_of(own.pid(), own.process())},
          {"keeper", own.keeper()},
          {"state", state},
          {"restarts", restarts_of(own.process())},
          {"last_error", own.last_error()}};
}

json worker_of(const Service& service, const json& counted) {
  const WorkerPost& worker = service.crew().worker();
  json object = process_of(worker.own(), worker_state(worker));
  add_numbers(object, counted);
  return object;
}

json hook_of(const HookPost& hook, const json& counted) {
  json object{{"slot", hook.number()},
              {"name", hook.name()},
              {"instance", hook.instance()},
              {"state", hook.state()},
              {"pid", pid_of(hook.pid(), hook.process())},
              {"keeper", hook.keeper()},
              {"restarts", restarts_of(hook.process())},
              {"last_error", hook.last_error()}};
  add_numbers(object, worker_view_of(counted, hook.number()));
  return object;
}

// Where the web pages of hooks are; the address of any listener says as much, but not whether it is one.
json web_pages_of(const Service& service) {
  json addresses = json::array();
  for (const config::Hook& hook : service.config().current().hooks) {
    if (!hook.web_page) continue;
    for (const BoundAddress& bound : service.bound()) {
      if (bound.listener == hook_listener(hook)) addresses.push_back(bound.address);
    }
  }
  return addresses;
}

bool discards(const config::Config& config) { return std::ranges::none_of(config.hooks, &config::Hook::delivers); }

}  // namespace

json status_of(const Service& service, std::string_view worker_json, Loop::Time now) {
  const json counted = json::parse(worker_json, nullptr, /*allow_exceptions=*/false);
  json addresses = json::array();
  for (const BoundAddress& bound : service.bound()) {
    addresses.push_back({{"listener", bound.listener}, {"address", bound.address}});
  }
  json hooks = json::array();
  for (const HookPost& hook : service.crew().hooks()) hooks.push_back(hook_of(hook, counted));
  json files = json::array();
  for (const auto& file : service.config().files()) files.push_back(file.string());

  json status{{"ok", true},
              {"state", to_string(service.crew().phase())},
              {"pid", ::getpid()},
              {"version", HOOKSMTPD_VERSION},
              {"uptime", std::chrono::duration_cast<std::chrono::seconds>(now - service.started()).count()},
              {"addresses", std::move(addresses)},
              {"web_pages", web_pages_of(service)},
              {"isolation", {{"level", to_string(service.isolation())}, {"missing", service.missing()}}},
              {"worker", worker_of(service, counted)},
              {"hooks", std::move(hooks)},
              {"discards", discards(service.config().current())},
              {"config", std::move(files)}};
  if (const KeyholderPost* keyholder = service.crew().keyholder()) {
    status["keyholder"] = process_of(keyholder->own(), keyholder->state());
  }
  return status;
}

json readiness_of(const Service& service) {
  std::vector<std::string> words;
  json missing = json::array();
  if (!service.crew().serving()) {
    words.push_back(fmt::format("worker ({})", worker_state(service.crew().worker())));
  }
  const KeyholderPost* keyholder = service.crew().keyholder();
  if (keyholder != nullptr && !keyholder->serving()) {
    words.push_back(fmt::format("keyholder ({}): no TLS", keyholder->state()));
  }
  for (const HookPost& hook : service.crew().hooks()) {
    if (hook.ready()) continue;
    words.push_back(fmt::format("hook {} ({})", hook.label(), hook.state()));
    missing.push_back({{"name", hook.name()},
                       {"instance", hook.instance()},
                       {"state", hook.state()},
                       {"last_error", hook.last_error()}});
  }
  if (words.empty()) return {{"ok", true}, {"ready", true}};
  return {{"ok", false},
          {"ready", false},
          {"kind", "not-ready"},
          {"error", fmt::format("not ready: {}", comma_list(words))},
          {"serving", service.crew().serving()},
          {"missing", std::move(missing)}};
}

}  // namespace hooksmtpd::launcher
