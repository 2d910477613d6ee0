// Slot 0: the worker, its keeper, and what the supervisor and the worker say to each other.
//
// The worker reads from the network, so nothing that it says is believed beyond its frame: one that the table in
// worker_post.cc does not expect, or that its owner finds wrong, gets it killed and started again.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/own_process.h"
#include "daemon/launcher/surroundings.h"
#include "daemon/launcher/tree.h"

namespace hooksmtpd::launcher {

// In the order of a worker's life.
enum class WorkerStage : std::uint8_t {
  kAbsent,    // it does not run, or has not reported yet
  kReady,     // checked, has the configuration, takes hooks
  kServing,   // accepts
  kDraining,  // accepts no more; kDrained is awaited
};

class WorkerOwner {
 public:
  virtual void worker_ready() = 0;  // wants its configuration, then its hooks
  virtual void worker_lost() = 0;   // takes nothing any more; what is left of it is being killed
  virtual void worker_ended(const Exit& exit) = 0;
  virtual void worker_keeper_lost() = 0;
  virtual void worker_drained() = 0;
  virtual void worker_alive() = 0;  // it answered when it was asked whether it is
  // False: no honest worker would say this.
  virtual bool hook_state(const sys::HookState& state, std::string_view text) = 0;
  virtual bool restart_hook(const sys::HookProcess& process, std::string_view reason) = 0;
  virtual bool worker_status(sys::Token token, std::string_view json) = 0;
  virtual bool keyholder_does_not_answer() = 0;

 protected:
  ~WorkerOwner() = default;
};

class WorkerPost {
 public:
  WorkerPost(const Surroundings& surroundings, WorkerOwner& owner, Slot slot);

  WorkerStage stage() const { return stage_; }
  bool takes_hooks() const { return stage_ >= WorkerStage::kReady; }
  const OwnProcess& own() const { return own_; }

  void start() { own_.start(); }
  Loop::Milliseconds retry() { return own_.retry(); }
  void stop(Loop::Milliseconds grace) { own_.stop(grace); }
  void keeper_ended(std::string_view why) { own_.keeper_ended(why); }

  // It has to say within the patience for a worker that it has taken it.
  void configure(const config::Config& config);
  // Calls back when nobody is served by a configuration before the last one any more: the worker has taken that one, or
  // is lost. At once where there is none. One caller at a time.
  void when_configured(std::function<void()> done);
  // A socket at whose other end the keyholder signs, in place of the one before.
  void give_keyholder(sys::Fd socket);
  void give_hook(const sys::HookProcess& process, std::string_view name, std::vector<sys::Fd> ends);
  // It is to be replaced: kRestartHook comes when it has finished what it was asked.
  void retire_hook(const sys::HookProcess& process) { own_.send(sys::FrameKind::kRetireHook, sys::as_body(process)); }
  // `request` is a JSON object that says what the client at the other end of `socket` wants to be told.
  void subscribe(std::string_view request, sys::Fd socket);
  void serve();
  void drain(Loop::Milliseconds limit);
  // Worker and keeper close the listeners: nobody can connect any more.
  void release();
  void ask_status(sys::Token token) { own_.send(sys::FrameKind::kStatusAsked, sys::as_body(token)); }
  // What it has sent, and whether it is still there: before an end of a hook is held against the hook.
  void look() { own_.read_now(); }

 private:
  bool frame(const sys::Frame& frame);
  bool configured();
  void lost();
  void tell_configured();

  const Loop::Milliseconds patience_;
  WorkerOwner& owner_;
  WorkerStage stage_ = WorkerStage::kAbsent;
  std::uint32_t configs_out_ = 0;  // it has not taken yet
  std::function<void()> when_configured_;
  Timer config_late_;
  OwnProcess own_;
};

}  // namespace hooksmtpd::launcher
