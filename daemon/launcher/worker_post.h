// Slot 0: the worker, its keeper, and what the supervisor and the worker say to each other.
//
// The worker reads from the network, so nothing that it says is believed beyond its frame: one that the table in
// worker_post.cc does not expect, or that its owner finds wrong, gets it killed and started again.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/frame_link.h"
#include "daemon/launcher/kept_process.h"
#include "daemon/launcher/log_pipe.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/surroundings.h"
#include "daemon/launcher/tree.h"

namespace hooksmtpd::launcher {

// In the order of a worker's life.
enum class WorkerStage : std::uint8_t {
  kAbsent,
  kSilent,    // it runs, its report is awaited
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
  // False: no honest worker would say this.
  virtual bool hook_state(const sys::HookState& state, std::string_view text) = 0;
  virtual bool restart_hook(const sys::HookProcess& process, std::string_view reason) = 0;
  virtual bool worker_status(sys::Token token, std::string_view json) = 0;

 protected:
  ~WorkerOwner() = default;
};

class WorkerPost {
 public:
  WorkerPost(const Surroundings& surroundings, WorkerOwner& owner, Slot slot);

  WorkerStage stage() const { return stage_; }
  bool takes_hooks() const { return stage_ >= WorkerStage::kReady; }
  const KeptProcess& process() const { return process_; }
  pid_t keeper() const { return keeper_; }
  pid_t pid() const { return pid_; }  // in the supervisor's /proc where that can be told; 0: none
  const std::string& last_error() const { return last_error_; }

  void start() { process_.start(); }
  Loop::Milliseconds retry() { return process_.retry(); }
  void stop(Loop::Milliseconds grace) { process_.stop(grace); }
  void keeper_ended(std::string_view why) { process_.give_up_keeper(why); }

  void configure(const config::Config& config);
  void give_hook(const sys::HookProcess& process, std::string_view name, std::vector<sys::Fd> ends);
  void serve();
  void drain(Loop::Milliseconds limit);
  // Worker and keeper close the listeners: nobody can connect any more.
  void release();
  void ask_status(sys::Token token);
  // What it has sent, and whether it is still there: before an end of a hook is held against the hook.
  void look() { link_.read_now(); }

 private:
  void started(std::vector<sys::Fd> ends);
  void exited(const Exit& exit);
  bool frame(const sys::Frame& frame);
  void report(const sys::ProcessReport& report);
  void lose(std::string_view why);

  const Surroundings in_;
  WorkerOwner& owner_;
  const pid_t keeper_;
  const sys::ProcessReport expected_;
  KeptProcess process_;
  FrameLink link_;
  LogPipe log_pipe_;
  Timer report_late_;
  WorkerStage stage_ = WorkerStage::kAbsent;
  pid_t pid_ = 0;
  std::string last_error_;
};

}  // namespace hooksmtpd::launcher
