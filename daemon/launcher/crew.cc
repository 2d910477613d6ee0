#include "daemon/launcher/crew.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <sysexits.h>

#include <algorithm>
#include <cassert>
#include <system_error>

#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

using Milliseconds = Loop::Milliseconds;

// A worker or keyholder that fails this often before we ever served will not do better: whoever started us should know.
constexpr std::uint32_t kFirstFailures = 3;

constexpr Milliseconds kHooksGrace = std::chrono::seconds(2);   // from SIGTERM to SIGKILL
constexpr Milliseconds kHooksFinish = std::chrono::seconds(1);  // from EOF to SIGTERM
constexpr Milliseconds kWorkerGrace = std::chrono::seconds(1);
constexpr Milliseconds kKeyholderGrace = std::chrono::seconds(1);
// As long as the worker waits for a signature before it calls the keyholder lost.
constexpr Milliseconds kSignatureTime = std::chrono::seconds(1);
constexpr Milliseconds kSlack = std::chrono::seconds(1);  // for the keepers to tell

Slot take_worker(std::vector<Slot>& slots) {
  const auto found = std::ranges::find(slots, Role::kWorker, &Slot::role);
  assert(found != slots.end() && "a tree without a worker");
  Slot worker = std::move(*found);
  slots.erase(found);
  return worker;
}

}  // namespace

Crew::Crew(const Surroundings& surroundings, CrewOwner& owner, const config::Config& config, std::vector<Slot> slots)
    : loop_(surroundings.loop),
      log_(surroundings.log),
      owner_(owner),
      config_(config),
      worker_(surroundings, *this, take_worker(slots)),
      introduce_again_(surroundings.loop, [this] { introduce(); }),
      step_(surroundings.loop, [this] { step_late(); }) {
  KeyholderOwner& keys_owner = *this;
  HookOwner& hooks_owner = *this;
  for (Slot& slot : slots) {
    if (slot.role == Role::kKeyholder) {
      keyholder_.emplace(surroundings, keys_owner, config, std::move(slot));
    } else {
      const auto number = static_cast<std::uint32_t>(hooks_.size() + 1);
      hooks_.emplace_back(surroundings, hooks_owner, number, std::move(slot));
    }
  }
}

void Crew::start() {
  if (keyholder_) return keyholder_->start();
  worker_.start();
}

// ---- the keyholder

void Crew::keyholder_serving() {
  if (phase_ == Phase::kStarting) worker_.start();  // the first time; later it runs
  introduce();
  owner_.crew_changed();
}

// Checked before we were started, or by the keyholder before: only its files can have changed since, and a reload will
// bring the certificates that fit them.
void Crew::keyholder_refuses(std::string_view text) {
  log_.error("keyholder keys refused: {}", text);
  if (phase_ == Phase::kStarting) return stop(EX_CONFIG);
  log_.error("no TLS until a reload finds keys and certificates that fit each other");
  owner_.crew_changed();
}

void Crew::introduce() {
  if (!keyholder_ || !keyholder_->serving() || !worker_.takes_hooks()) return;
  try {
    sys::SocketPair pair = sys::make_socket_pair();
    keyholder_->give_client(std::move(pair.ours));
    worker_.give_keyholder(std::move(pair.theirs));
  } catch (const std::system_error& error) {
    log_.error("keyholder no socket: {}", error.what());  // without TLS until the next of them starts
  }
  introduce_again_.stop();
  introduced_ = loop_.now();
}

// What is said sooner than a signature may take is about the keyholder before, or about its socket only. Not more than
// one socket a second, so that a worker cannot keep the two of us busy with it.
bool Crew::keyholder_does_not_answer() {
  if (!keyholder_) return false;
  if (!keyholder_->serving()) return true;
  const auto since = std::chrono::duration_cast<Milliseconds>(loop_.now() - introduced_);
  if (since < kSignatureTime) {
    introduce_again_.start(kSignatureTime - since);
  } else {
    keyholder_->does_not_answer("the worker got no signature in time");
  }
  return true;
}

void Crew::keyholder_ended(const Exit& exit) {
  const std::string& why = keyholder_->own().last_error();
  const std::string reason =
      exit.asked_for && phase_ < Phase::kStoppingWorker ? fmt::format(" reason={}", sys::quoted(why)) : std::string();
  const std::string line = fmt::format("keyholder exit {} ran_ms={}{}", to_string(exit), exit.ran.count(), reason);
  if (phase_ >= Phase::kStoppingWorker) {
    log_.info("{}", line);
    return stopped_when_down();
  }
  if (first_failure(exit)) {
    log_.error("{}: it cannot be started, giving up", line);
    return stop(EX_SOFTWARE);
  }
  const Milliseconds wait = keyholder_->retry();
  log_.error("{} next_start_ms={} failures={}", line, wait.count(), keyholder_->own().process().failures());
  owner_.crew_changed();
}

void Crew::keyholder_keeper_lost() {
  log_.error("keyholder keeper is gone, and only root can make another one: no TLS until hooksmtpd is restarted");
  if (phase_ == Phase::kStarting) return stop(EX_SOFTWARE);
  if (phase_ >= Phase::kFinishingHooks) return stopped_when_down();
  owner_.crew_changed();
}

void Crew::try_keys(const config::Config& config, KeyholderPost::Answer answer) {
  if (keyholder_) return keyholder_->try_keys(config, std::move(answer));
  answer({.kind = KeysVerdict::Kind::kOk, .text = {}});
}

bool Crew::first_failure(const Exit& exit) {
  return phase_ == Phase::kStarting && (exit.exec_errno != 0 || ++first_failures_ == kFirstFailures);
}

// ---- the worker

HookPost* Crew::hook_of(std::uint32_t slot) { return slot >= 1 && slot <= hooks_.size() ? &hooks_[slot - 1] : nullptr; }

Milliseconds Crew::start_timeout_of(const HookPost& hook) const {
  const auto found = std::ranges::find(config_.hooks, hook.name(), &config::Hook::name);
  return found == config_.hooks.end() ? config::Hook{}.start_timeout : found->start_timeout;
}

void Crew::worker_ready() {
  worker_.configure(config_);
  if (!worker_.takes_hooks()) return;
  introduce();
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

void Crew::apply(std::span<const std::size_t> hooks_to_restart, std::function<void()> in_force) {
  worker_.configure(config_);
  for (const std::size_t index : hooks_to_restart) {
    for (HookPost& hook : hooks_) {
      if (hook.name() == config_.hooks[index].name) hook.renew(config_.hooks[index].argv());
    }
  }
  worker_.when_configured(std::move(in_force));
}

std::vector<std::string> Crew::restart_hook(std::string_view name, std::uint32_t instance) {
  std::vector<std::string> labels;
  for (HookPost& hook : hooks_) {
    if (hook.name() != name || (instance != 0 && hook.instance() != instance)) continue;
    replace(hook);
    labels.push_back(hook.label());
  }
  return labels;
}

// By a process with the same arguments, once what runs has finished what it was asked.
void Crew::replace(HookPost& hook) {
  if (hook.process().up()) {
    worker_.retire_hook(
        {.slot = hook.number(), .instance = hook.instance(), .generation = hook.process().generation()});
  }
  hook.renew();
}

void Crew::subscribe(std::string_view request, sys::Fd client) { worker_.subscribe(request, std::move(client)); }

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
      exit.asked_for ? fmt::format(" reason={}", sys::quoted(worker_.own().last_error())) : std::string();
  const std::string line = fmt::format("worker exit {} ran_ms={}{}", to_string(exit), exit.ran.count(), reason);
  if (first_failure(exit)) {
    log_.error("{}: it cannot be started, giving up", line);
    return stop(EX_SOFTWARE);
  }
  const Milliseconds wait = worker_.retry();
  log_.error("{} next_start_ms={} failures={}", line, wait.count(), worker_.own().process().failures());
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
  if (worker_.own().keeper() == keeper) worker_.keeper_ended(how);
  if (keyholder_ && keyholder_->own().keeper() == keeper) keyholder_->keeper_ended(how);
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
  if (keyholder_) keyholder_->stop(kKeyholderGrace);
  worker_.stop(kWorkerGrace);
  if (worker_.own().process().down()) return finish_hooks();
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
  if (keyholder_) keyholder_->stop(Milliseconds(0));
  terminate_hooks(Milliseconds(0));
}

void Crew::stopped_when_down() {
  const bool hooks_down = std::ranges::all_of(hooks_, [](const HookPost& hook) { return hook.process().down(); });
  const bool keys_down = !keyholder_ || keyholder_->own().process().down();
  if (hooks_down && keys_down && worker_.own().process().down()) stopped();
}

void Crew::stopped() {
  if (phase_ == Phase::kStopped) return;
  phase_ = Phase::kStopped;
  step_.stop();
  owner_.crew_stopped(exit_status_);
}

}  // namespace hooksmtpd::launcher
