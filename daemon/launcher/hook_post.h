// One instance of one hook, as the supervisor sees it: its keeper, its process, and whether it is ready to be asked.
//
// The hook talks with the worker only. The worker says how that went (kHookState, kRestartHook); the back-off and every
// start are ours.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/launcher/kept_process.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/surroundings.h"
#include "daemon/launcher/tree.h"

namespace hooksmtpd::launcher {

class HookPost;

class HookOwner {
 public:
  // The ends of its pipes, for the worker.
  virtual void hook_started(HookPost& hook, std::vector<sys::Fd> ends) = 0;
  // Before an end is held against the hook: perhaps the worker is gone, and the hook has only seen EOF.
  virtual void hook_ending() = 0;
  // It became ready, ended, used up its time, or is lost.
  virtual void hook_changed() = 0;
  // Its program was saved anew (`reload_on_change`).
  virtual void hook_program_changed(HookPost& hook) = 0;

 protected:
  ~HookOwner() = default;
};

class HookPost {
 public:
  HookPost(const Surroundings& surroundings, HookOwner& owner, std::uint32_t number, Slot slot);

  std::uint32_t number() const { return number_; }  // of the slot
  const std::string& name() const { return name_; }
  std::uint32_t instance() const { return instance_; }
  const std::string& label() const { return label_; }  // "policy/1"
  const KeptProcess& process() const { return process_; }
  pid_t keeper() const { return keeper_; }
  pid_t pid() const { return pid_; }  // in the supervisor's /proc where that can be told; 0: none
  const std::string& last_error() const { return last_error_; }

  bool ready() const { return ready_; }
  // Ready, or not to be waited for any longer.
  bool settled() const;
  // "ready", "starting", "backing off", ...
  std::string_view state() const;

  // There is a worker to talk with: run from now on. Nobody waits for it longer than `start_timeout`.
  void begin(Loop::Milliseconds start_timeout);
  // There is none any more: stop, and stay down.
  void end(Loop::Milliseconds grace);
  // The same, but what runs may end by itself: its pipes are closed.
  void no_more();
  // Has it replaced by one with these arguments, without holding anything against it: the worker, which has the new
  // configuration by now, lets it finish what it was asked and then says restart().
  void renew(std::vector<std::string> argv);
  // With the arguments that it has.
  void renew() { renew(process_.argv()); }
  void keeper_ended(std::string_view why) { process_.give_up_keeper(why); }

  // What the worker says. Of a process that is gone already: nothing happens.
  void hello(std::uint32_t generation, sys::HookState::State state, std::string_view text);
  void restart(std::uint32_t generation, std::string_view reason);

 private:
  void started(std::vector<sys::Fd> ends);
  void exited(const Exit& exit);
  void fail(std::string_view reason);
  void stop_for_renewal();

  const Surroundings in_;
  HookOwner& owner_;
  const std::uint32_t number_;
  const std::string name_;
  const std::uint32_t instance_;
  const std::string label_;
  const pid_t keeper_;
  KeptProcess process_;
  Timer patience_;
  Timer renewal_;
  Loop::Time started_{};
  bool wanted_ = false;
  bool at_fault_ = false;  // it is being stopped for something that it did
  bool renewing_ = false;  // it is to be replaced, or being stopped for that
  bool ready_ = false;
  pid_t pid_ = 0;
  std::string last_error_;
};

}  // namespace hooksmtpd::launcher
