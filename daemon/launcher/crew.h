// The keyholder, the worker and the hooks: the order in which they start, are replaced and stop.
//
//   keyholder starts -> reports -> is checked -> loads the keys   (where a listener speaks TLS)
//   worker starts -> reports -> is checked -> gets its configuration and a socket to the keyholder
//     -> hooks start -> their pipes go to the worker -> it says how each one's hello went
//       -> all are ready, or have used up their start_timeout -> the worker serves
//
// A worker that dies takes the hooks' pipes with it: all hooks stop and the same order begins anew, while connections
// wait in the backlog of the listeners, which the worker's keeper holds. A keyholder that dies is replaced, and the
// worker gets another socket; it goes on without TLS meanwhile.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/hook_post.h"
#include "daemon/launcher/keyholder_post.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/surroundings.h"
#include "daemon/launcher/tree.h"
#include "daemon/launcher/worker_post.h"
#include "daemon/sys/log.h"

namespace hooksmtpd::launcher {

class CrewOwner {
 public:
  virtual void crew_ready() = 0;    // once: the worker is about to serve for the first time
  virtual void crew_changed() = 0;  // somebody became ready or ceased to be
  virtual void crew_stopped(int exit_status) = 0;
  virtual void crew_alive() = 0;  // the worker answers
  // What the worker answers to ask_status(). False: that is no answer to anything.
  virtual bool worker_status(std::uint32_t token, std::string_view json) = 0;

 protected:
  ~CrewOwner() = default;
};

class Crew final : private WorkerOwner, private KeyholderOwner, private HookOwner {
 public:
  enum class Phase : std::uint8_t {
    kStarting,
    kRunning,           // has served at least once
    kDraining,          // no listener any more; sessions that are under way go on
    kStoppingWorker,    // which closes the hooks' pipes; and the keyholder, which nobody needs any more
    kFinishingHooks,    // they may end by themselves: EOF on their stdin
    kTerminatingHooks,  // SIGTERM, then SIGKILL
    kStopped,
  };

  // `config` stays the current one: the owner changes it and then says apply().
  Crew(const Surroundings& surroundings, CrewOwner& owner, const config::Config& config, std::vector<Slot> slots);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void start();
  // Whether the keyholder can use what `config` says of TLS; where there is none: yes.
  void try_keys(const config::Config& config, KeyholderPost::Answer answer);
  // Hands the current configuration to the worker and starts these hooks anew (indices into Config::hooks). Calls back,
  // maybe at once, when whoever connects from then on is served by it. One change at a time.
  void apply(std::span<const std::size_t> hooks_to_restart, std::function<void()> in_force);
  // Starts the processes of this hook anew, each when it has finished what it was asked; instance 0: all of them. Gives
  // their labels; none: there is no such process.
  std::vector<std::string> restart_hook(std::string_view name, std::uint32_t instance);
  // The worker tells this client of the control socket what it asked for; where there is none now, it is closed.
  void subscribe(std::string_view request, sys::Fd client);
  // Lets sessions finish as long as timeouts.drain. Called again: nothing happens.
  void stop(int exit_status);
  // Kills everything.
  void stop_now();
  // A child of ours has ended: that can only be a keeper.
  void keeper_ended(pid_t keeper, int wait_status);
  void ask_status(std::uint32_t token) { worker_.ask_status({.value = token}); }

  Phase phase() const { return phase_; }
  bool serving() const { return worker_.stage() == WorkerStage::kServing; }
  const WorkerPost& worker() const { return worker_; }
  // Null: no listener speaks TLS.
  const KeyholderPost* keyholder() const { return keyholder_ ? &*keyholder_ : nullptr; }
  const std::deque<HookPost>& hooks() const { return hooks_; }

 private:
  void worker_ready() override;
  void worker_lost() override;
  void worker_ended(const Exit& exit) override;
  void worker_keeper_lost() override;
  void worker_drained() override;
  void worker_alive() override { owner_.crew_alive(); }
  bool hook_state(const sys::HookState& state, std::string_view text) override;
  bool restart_hook(const sys::HookProcess& process, std::string_view reason) override;
  bool worker_status(sys::Token token, std::string_view json) override;
  bool keyholder_does_not_answer() override;

  void keyholder_serving() override;
  void keyholder_refuses(std::string_view text) override;
  void keyholder_ended(const Exit& exit) override;
  void keyholder_keeper_lost() override;

  void hook_started(HookPost& hook, std::vector<sys::Fd> ends) override;
  void hook_ending() override { worker_.look(); }
  void hook_changed() override;
  void hook_program_changed(HookPost& hook) override { replace(hook); }

  HookPost* hook_of(std::uint32_t slot);
  void replace(HookPost& hook);
  Loop::Milliseconds start_timeout_of(const HookPost& hook) const;
  // Before we have ever served: whether this end of worker or keyholder is one too many.
  bool first_failure(const Exit& exit);
  // Gives the worker and the keyholder a socket pair, where both are up.
  void introduce();
  void serve_when_settled();
  void step_late();
  void stop_worker();
  void finish_hooks();
  void terminate_hooks(Loop::Milliseconds grace);
  void stopped_when_down();
  void stopped();

  Loop& loop_;
  sys::Log& log_;
  CrewOwner& owner_;
  const config::Config& config_;
  Phase phase_ = Phase::kStarting;
  int exit_status_ = 0;
  std::uint32_t first_failures_ = 0;  // of worker and keyholder, before we ever served
  WorkerPost worker_;
  std::optional<KeyholderPost> keyholder_;
  Loop::Time introduced_{};
  Timer introduce_again_;
  std::deque<HookPost> hooks_;  // a HookPost does not move
  Timer step_;                  // limits the present phase of a stop
};

}  // namespace hooksmtpd::launcher
