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

// A worker that hangs should be replaced before systemd has had enough of all of us: it hears of a worker that answers
// once a Pulse's tick, and not at all of one that does not.
Loop::Milliseconds patience_within(std::optional<Loop::Milliseconds> watchdog) {
  constexpr Loop::Milliseconds kLongest = std::chrono::seconds(30);
  return watchdog ? std::clamp(*watchdog / 2, Loop::Milliseconds(1), kLongest) : kLongest;
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
      watched_(tree.watchdog.has_value()),
      missing_(std::move(tree.missing)),
      start_text_(std::move(tree.start_text)),
      proc_(std::move(tree.proc)),
      lock_(std::move(tree.lock)),
      config_(loaded_of(tree), std::move(tree.load_config)),
      notifier_(std::move(tree.notify)),
      crew_({.loop = loop,
             .log = log,
             .proc = proc_.get(),
             .demands = tree.demands,
             .patience = patience_within(tree.watchdog)},
            *this, config_.current(), std::move(tree.slots)),
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

void Service::crew_alive() {
  if (watched_) notifier_.alive();
}

bool Service::worker_status(std::uint32_t token, std::string_view json) { return commands_.worker_status(token, json); }

std::string Service::status_line() const {
  if (!crew_.serving() && crew_.worker().stage() != WorkerStage::kReady) return "the worker is starting again";
  const KeyholderPost* keyholder = crew_.keyholder();
  if (keyholder != nullptr && !keyholder->serving()) return fmt::format("no TLS: keyholder ({})", keyholder->state());
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

std::vector<std::string> Service::restart_hook(std::string_view name, std::uint32_t instance, std::string_view who) {
  std::vector<std::string> labels = crew_.restart_hook(name, instance);
  if (!labels.empty()) log_.info("hooks restart=\"{}\" by={}", comma_list(labels), who);
  return labels;
}

void Service::hang_up() {
  if (pending_) {
    again_ = true;
    return;
  }
  reload("signal", [](const Outcome&) {});  // what became of it is in the log
}

void Service::reload(std::string_view who, Done done) {
  // Else systemd still waits for the first READY, or for that of the change that is under way.
  const bool told = crew_.phase() == Crew::Phase::kRunning && !pending_;
  if (told) notifier_.reloading();
  propose(
      "reload", who,
      [this, told, done = std::move(done)](const Outcome& outcome) {
        if (told && crew_.phase() == Crew::Phase::kRunning) notifier_.ready(status_line());
        done(outcome);
      },
      Ask::kAlways, config_.reload());  // a file of keys may have changed under the same name
}

void Service::configure(std::string_view key, std::string_view value, std::string_view who, Done done) {
  propose(fmt::format("configure key={} value={}", sys::quoted(key), sys::quoted(value)), who, std::move(done),
          Ask::kIfTlsChanges, config_.configure(key, value));
}

// All or nothing: what is refused has changed nothing.
void Service::propose(std::string verb, std::string_view who, Done done, Ask ask,
                      std::expected<LiveConfig::Proposal, Refusal> proposal) {
  if (crew_.phase() >= Crew::Phase::kDraining) {
    return refused(verb, who, done, {Refusal::Kind::kUnavailable, "hooksmtpd is stopping", {}});
  }
  if (pending_) {
    return refused(verb, who, done,
                   {Refusal::Kind::kUnavailable, fmt::format("a {} is still under way", pending_->verb), "try again"});
  }
  if (!proposal) return refused(verb, who, done, std::move(proposal.error()));
  pending_ = {
      .verb = std::move(verb), .who = std::string(who), .done = std::move(done), .proposal = std::move(*proposal)};
  const config::Config& wanted = pending_->proposal.loaded.config;
  if (ask == Ask::kIfTlsChanges && wanted.tls == config_.current().tls) return keys_judged({});
  crew_.try_keys(wanted, [this](KeysVerdict verdict) { keys_judged(std::move(verdict)); });
}

void Service::keys_judged(KeysVerdict verdict) {
  if (auto refusal = refusal_of(verdict)) return finish(std::unexpected(*std::move(refusal)));
  take(std::move(verdict.text));
}

std::optional<Refusal> Service::refusal_of(const KeysVerdict& verdict) const {
  if (crew_.phase() >= Crew::Phase::kDraining) {
    return Refusal{Refusal::Kind::kUnavailable, "hooksmtpd is stopping", {}};
  }
  if (verdict.kind == KeysVerdict::Kind::kRefused) return Refusal{Refusal::Kind::kConfig, verdict.text, {}};
  if (verdict.kind == KeysVerdict::Kind::kUnavailable) {
    return Refusal{Refusal::Kind::kUnavailable, verdict.text, "nothing was changed; try again"};
  }
  return std::nullopt;
}

// `note` is the keyholder's; it may be empty.
void Service::take(std::string note) {
  LiveConfig::Changed changed = config_.accept(std::move(pending_->proposal));
  if (!note.empty()) {
    changed.warnings.push_back({.severity = config::Severity::kInfo, .where = {}, .text = std::move(note)});
  }
  for (const config::Problem& warning : changed.warnings) log_.warn("{}", config::to_string(warning));
  log_.set_level(config_.current().log_level);
  const std::vector<std::size_t> hooks = changed.changes.hooks_to_restart;
  crew_.apply(hooks, [this, changed = std::move(changed)]() mutable { finish(std::move(changed)); });
}

void Service::finish(Outcome outcome) {
  const Pending change = *std::exchange(pending_, std::nullopt);
  if (outcome) {
    log_.info("{} by={} changed=\"{}\"", change.verb, change.who, comma_list(outcome->changes.reloadable));
    change.done(outcome);
  } else {
    refused(change.verb, change.who, change.done, std::move(outcome.error()));
  }
  if (std::exchange(again_, false)) hang_up();
}

void Service::refused(std::string_view verb, std::string_view who, const Done& done, Refusal refusal) {
  log_.error("{} by={} refused: {}", verb, who, refusal.error);
  if (!refusal.suggestion.empty()) log_.error("{}", refusal.suggestion);
  done(std::unexpected(std::move(refusal)));
}

}  // namespace hooksmtpd::launcher
