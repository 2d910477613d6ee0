#include "daemon/launcher/service.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/launcher/comma_list.h"
#include "daemon/launcher/privilege.h"

namespace hooksmtpd::launcher {
namespace {

config::Loaded loaded_of(Tree& tree) {
  return {.config = std::move(tree.config),
          .origins = std::move(tree.origins),
          .files = std::move(tree.files),
          .warnings = {}};
}

// "maildir, policy (2)"
std::string names_of(const std::vector<config::Hook>& hooks) {
  std::vector<std::string> names;
  for (const config::Hook& hook : hooks) {
    names.push_back(hook.instances == 1 ? hook.name : fmt::format("{} ({})", hook.name, hook.instances));
  }
  return comma_list(names);
}

}  // namespace

Service::Service(Loop& loop, sys::Log& log, Tree tree)
    : log_(log),
      started_(loop.now()),
      bound_(std::move(tree.bound)),
      isolation_(tree.isolation),
      missing_(std::move(tree.missing)),
      start_text_(std::move(tree.start_text)),
      proc_(std::move(tree.proc)),
      lock_(std::move(tree.lock)),
      config_(loaded_of(tree), std::move(tree.load_config)),
      notifier_(std::move(tree.notify)),
      crew_({.loop = loop, .log = log, .proc = proc_.get(), .bounding = bounding_of(isolation_)}, *this,
            config_.current(), std::move(tree.slots)),
      commands_(loop, std::move(tree.control), *this) {
  log_.set_level(config_.current().log_level);
  for (const std::string& warning : tree.warnings) log_.warn("{}", warning);
}

void Service::crew_ready() {
  std::vector<std::string> addresses;
  for (const BoundAddress& bound : bound_) addresses.push_back(fmt::format("{} ({})", bound.address, bound.listener));
  log_.info("ready version={} isolation={} addresses=\"{}\" hooks=\"{}\"", HOOKSMTPD_VERSION, to_string(isolation_),
            comma_list(addresses), names_of(config_.current().hooks));
  if (!missing_.empty()) {
    log_.warn("isolation level={} missing=\"{}\"", to_string(isolation_), comma_list(missing_));
  }
  for (const HookPost& hook : crew_.hooks()) {
    if (hook.ready()) continue;
    const std::string& error = hook.last_error();
    log_.warn("hook late hook={} state=\"{}\" reason={}: its questions get its on_failure until it is ready",
              hook.label(), hook.state(), sys::quoted(error.empty() ? "it has not answered hello" : error));
  }
  for (const std::string& line : start_text_) log_.info("{}", line);
  notifier_.ready(status_line());
}

void Service::crew_changed() {
  if (crew_.phase() == Crew::Phase::kRunning) notifier_.status(status_line());
}

bool Service::worker_status(std::uint32_t token, std::string_view json) { return commands_.worker_status(token, json); }

std::string Service::status_line() const {
  if (!crew_.serving() && crew_.worker().stage() != WorkerStage::kReady) return "the worker is starting again";
  std::vector<std::string> waiting;
  for (const HookPost& hook : crew_.hooks()) {
    if (!hook.ready()) waiting.push_back(fmt::format("{} ({})", hook.label(), hook.state()));
  }
  if (!waiting.empty()) return fmt::format("hooks not ready: {}", comma_list(waiting));
  return fmt::format("serving, {} of {} hook processes ready", crew_.hooks().size(), crew_.hooks().size());
}

void Service::terminate() {
  if (crew_.phase() < Crew::Phase::kDraining) return stop("signal");
  log_.warn("stop now=yes");
  crew_.stop_now();
}

void Service::stop(std::string_view who) {
  if (crew_.phase() >= Crew::Phase::kDraining) return;
  log_.info("stop by={} drain_ms={}", who, config_.current().timeouts.drain.count());
  notifier_.stopping();
  crew_.stop(0);
}

std::expected<LiveConfig::Changed, Refusal> Service::reload(std::string_view who) {
  if (crew_.phase() >= Crew::Phase::kDraining) {
    return std::unexpected(
        Refusal{.kind = Refusal::Kind::kUnavailable, .error = "hooksmtpd is stopping", .suggestion = {}});
  }
  const bool told = crew_.phase() == Crew::Phase::kRunning;  // else systemd still waits for the first READY
  if (told) notifier_.reloading();
  auto changed = put_in_force("reload", who, config_.reload());
  if (told) notifier_.ready(status_line());
  return changed;
}

std::expected<LiveConfig::Changed, Refusal> Service::configure(std::string_view key, std::string_view value,
                                                               std::string_view who) {
  return put_in_force(fmt::format("configure key={} value={}", sys::quoted(key), sys::quoted(value)), who,
                      config_.configure(key, value));
}

// All or nothing: what was refused has changed nothing.
std::expected<LiveConfig::Changed, Refusal> Service::put_in_force(std::string_view verb, std::string_view who,
                                                                  std::expected<LiveConfig::Changed, Refusal> changed) {
  if (!changed) {
    log_.error("{} by={} refused: {}", verb, who, changed.error().error);
    if (!changed.error().suggestion.empty()) log_.error("{}", changed.error().suggestion);
    return changed;
  }
  for (const config::Problem& warning : changed->warnings) log_.warn("{}", config::to_string(warning));
  log_.set_level(config_.current().log_level);
  crew_.apply(changed->changes.hooks_to_restart);
  log_.info("{} by={} changed=\"{}\"", verb, who, comma_list(changed->changes.reloadable));
  return changed;
}

}  // namespace hooksmtpd::launcher
