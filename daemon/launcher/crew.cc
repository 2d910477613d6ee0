#include "daemon/launcher/crew.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <sysexits.h>

#include <algorithm>

namespace hooksmtpd::launcher {
namespace {

using Milliseconds = Loop::Milliseconds;

// A worker that has never served and fails this often will not do better: whoever started us should know.
constexpr std::uint32_t kFirstFailures = 3;

constexpr Milliseconds kHooksGrace = std::chrono::seconds(2);   // from SIGTERM to SIGKILL
constexpr Milliseconds kHooksFinish = std::chrono::seconds(1);  // from EOF to SIGTERM
constexpr Milliseconds kWorkerGrace = std::chrono::seconds(1);
constexpr Milliseconds kSlack = std::chrono::seconds(1);  // for the keepers to tell

}  // namespace

Crew::Crew(const Surroundings& surroundings, CrewOwner& owner, const config::Config& config, std::vector<Slot> slots)
    : log_(surroundings.log),
      owner_(owner),
      config_(config),
      worker_(surroundings, *this, std::move(slots.at(0))),
      step_(surroundings.loop, [this] { step_late(); }) {
  HookOwner& self = *this;
  for (std::uint32_t number = 1; number < slots.size(); ++number) {
    hooks_.emplace_back(surroundings, self, number, std::move(slots[number]));
  }
}

HookPost* Crew::hook_of(std::uint32_t slot) { return slot >= 1 && slot <= hooks_.size() ? &hooks_[slot - 1] : nullptr; }

Milliseconds Crew::start_timeout_of(const HookPost& hook) const {
  const auto found = std::ranges::find(config_.hooks, hook.name(), &config::Hook::name);
  return found == config_.hooks.end() ? config::Hook{}.start_timeout : found->start_timeout;
}

void Crew::worker_ready() {
  worker_.configure(config_);
  if (!worker_.takes_hooks()) return;
  for (HookPost& hook : hooks_) hook.begin(start_timeout_of(hook));
  serve_when_settled();
}

void Crew::hook_started(HookPost& hook, std::vector<sys::Fd> ends) {
  const sys::HookProcess process{
      .slot = hook.number(), .instance = hook.instance(), .generation = hook.process().generation()};
  worker_.give_hook(process, hook.name(), std::move(ends));
}

bool Crew::hook_state(const sys::HookState& state, std::string_view text) {
  HookPost* hook = hook_of(state.slot);
  if (hook == nullptr || state.generation > hook->process().generation()) return false;
  if (state.state != sys::HookState::kReady && state.state != sys::HookState::kFailed) return false;
  hook->hello(state.generation, static_cast<sys::HookState::State>(state.state), text);
  return true;
}

bool Crew::restart_hook(const sys::HookProcess& process, std::string_view reason) {
  HookPost* hook = hook_of(process.slot);
  if (hook == nullptr || process.generation > hook->process().generation()) return false;
  hook->restart(process.generation, reason);
  return true;
}

bool Crew::worker_status(sys::Token token, std::string_view json) { return owner_.worker_status(token.value, json); }

void Crew::hook_changed() {
  serve_when_settled();
  if (phase_ >= Phase::kFinishingHooks) return stopped_when_down();
  owner_.crew_changed();
}

void Crew::serve_when_settled() {
  if (phase_ > Phase::kRunning || worker_.stage() != WorkerStage::kReady) return;
  if (!std::ranges::all_of(hooks_, &HookPost::settled)) return;
  if (phase_ == Phase::kStarting) {
    phase_ = Phase::kRunning;
    owner_.crew_ready();
  } else {
    log_.info("worker serves again hooks_ready={} hooks={}", std::ranges::count_if(hooks_, &HookPost::ready),
              hooks_.size());
  }
  worker_.serve();
  owner_.crew_changed();
}

void Crew::apply(std::span<const std::size_t> hooks_to_restart) {
  if (worker_.takes_hooks()) worker_.configure(config_);
  for (const std::size_t index : hooks_to_restart) {
    for (HookPost& hook : hooks_) {
      if (hook.name() == config_.hooks[index].name) hook.renew(config_.hooks[index].command);
    }
  }
}

void Crew::worker_lost() {
  if (phase_ == Phase::kDraining) return stop_worker();  // nothing is left that could drain
  if (phase_ > Phase::kDraining) return;
  for (HookPost& hook : hooks_) hook.end(kHooksGrace);
  owner_.crew_changed();
}

void Crew::worker_ended(const Exit& exit) {
  if (phase_ >= Phase::kDraining) {
    log_.info("worker exit {} ran_ms={}", to_string(exit), exit.ran.count());
    if (phase_ == Phase::kStoppingWorker) return finish_hooks();
    return stopped_when_down();
  }
  // Why we killed it, where we did; a frame that was bad says more than the signal that followed.
  const std::string reason =
      exit.asked_for ? fmt::format(" reason={}", sys::quoted(worker_.last_error())) : std::string();
  const std::string line = fmt::format("worker exit {} ran_ms={}{}", to_string(exit), exit.ran.count(), reason);
  if (phase_ == Phase::kStarting && (exit.exec_errno != 0 || ++first_failures_ == kFirstFailures)) {
    log_.error("{}: it cannot be started, giving up", line);
    return stop(EX_SOFTWARE);
  }
  const Milliseconds wait = worker_.retry();
  log_.error("{} next_start_ms={} failures={}", line, wait.count(), worker_.process().failures());
}

void Crew::worker_keeper_lost() {
  log_.error("worker keeper is gone, and only root can make another one: stopping");
  exit_status_ = EX_SOFTWARE;
  if (phase_ < Phase::kDraining) return stop(EX_SOFTWARE);
  if (phase_ == Phase::kStoppingWorker) return finish_hooks();
  stopped_when_down();
}

void Crew::keeper_ended(pid_t keeper, int wait_status) {
  const std::string how = fmt::format("it ended ({})", to_string(Exit{.wait_status = wait_status}));
  if (worker_.keeper() == keeper) worker_.keeper_ended(how);
  for (HookPost& hook : hooks_) {
    if (hook.keeper() == keeper) hook.keeper_ended(how);
  }
}

// The listeners go first: from here on nobody can connect.
void Crew::stop(int exit_status) {
  if (phase_ >= Phase::kDraining) return;
  exit_status_ = exit_status;
  phase_ = Phase::kDraining;
  worker_.release();
  if (!worker_.takes_hooks()) return stop_worker();
  worker_.drain(config_.timeouts.drain);
  step_.start(config_.timeouts.drain + kSlack);
}

void Crew::worker_drained() { stop_worker(); }

void Crew::step_late() {
  switch (phase_) {
    case Phase::kDraining:
      log_.warn("stop sessions did not end in time");
      return stop_worker();
    case Phase::kStoppingWorker:
      return finish_hooks();
    case Phase::kFinishingHooks:
      return terminate_hooks(kHooksGrace);
    default:
      return stopped();
  }
}

void Crew::stop_worker() {
  phase_ = Phase::kStoppingWorker;
  for (HookPost& hook : hooks_) hook.no_more();
  worker_.stop(kWorkerGrace);
  if (worker_.process().down()) return finish_hooks();
  step_.start(kWorkerGrace + kSlack);
}

void Crew::finish_hooks() {
  phase_ = Phase::kFinishingHooks;
  step_.start(kHooksFinish);
  stopped_when_down();
}

void Crew::terminate_hooks(Milliseconds grace) {
  phase_ = Phase::kTerminatingHooks;
  step_.start(grace + kSlack);
  for (HookPost& hook : hooks_) hook.end(grace);
  stopped_when_down();
}

void Crew::stop_now() {
  if (phase_ == Phase::kStopped) return;
  worker_.release();
  worker_.stop(Milliseconds(0));
  terminate_hooks(Milliseconds(0));
}

void Crew::stopped_when_down() {
  const bool hooks_down = std::ranges::all_of(hooks_, [](const HookPost& hook) { return hook.process().down(); });
  if (hooks_down && worker_.process().down()) stopped();
}

void Crew::stopped() {
  if (phase_ == Phase::kStopped) return;
  phase_ = Phase::kStopped;
  step_.stop();
  owner_.crew_stopped(exit_status_);
}

}  // namespace hooksmtpd::launcher
