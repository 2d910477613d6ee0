// One of our own programs as the supervisor sees it: the worker, the keyholder. Its keeper starts it; it reports what
// it found about itself (promise P1) and is believed only once that was checked; then it has frames to say, and lines
// for the log.
//
// Neither is believed beyond its frames: one that is broken or out of place gets it killed, and so does silence.
// Whether it starts again, its owner decides.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/launcher/frame_link.h"
#include "daemon/launcher/kept_process.h"
#include "daemon/launcher/log_pipe.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/pulse.h"
#include "daemon/launcher/surroundings.h"
#include "daemon/launcher/tree.h"

namespace hooksmtpd::launcher {

class OwnProcess {
 public:
  struct Events {
    std::function<void()> ready;                   // it has reported, and is what it should be
    std::function<bool(const sys::Frame&)> frame;  // after that; false: out of place
    std::function<void()> lost;                    // takes nothing any more; what is left of it ends now
    std::function<void(const Exit&)> ended;        // may start() or retry()
    std::function<void()> keeper_lost;             // for good
    std::function<void()> alive{};                 // it answered when it was asked
  };

  // `name` is the first word of its log lines: "worker".
  OwnProcess(const Surroundings& surroundings, std::string name, sys::Sender self, Slot slot, Events events);

  const KeptProcess& process() const { return process_; }
  pid_t keeper() const { return keeper_; }
  pid_t pid() const { return pid_; }  // in the supervisor's /proc where that can be told; 0: none
  const std::string& last_error() const { return last_error_; }

  void start() { process_.start(); }
  Loop::Milliseconds retry() { return process_.retry(); }
  // As KeptProcess::stop(). One that is on its way out by itself hears nothing of a grace: a SIGTERM would only change
  // how it ends.
  void stop(Loop::Milliseconds grace);
  void keeper_ended(std::string_view why) { process_.give_up_keeper(why); }
  // The keeper closes its listeners.
  void release() { process_.release(); }

  // Before it is ready, and after it is lost: nothing happens.
  void send(sys::FrameKind kind, std::string_view body = {}, std::vector<sys::Fd> fds = {});
  // kConfig: as memory that nobody can change, so that our own copy stays ours.
  void configure(const config::Config& config);
  // Takes in what it has sent, without waiting for the loop to come round.
  void read_now() { link_.read_now(); }
  // It is of no use any more: kills it. `why` stays its last error.
  void lose(std::string_view why);

 private:
  enum class Stage : std::uint8_t { kAbsent, kSilent, kReady };  // kSilent: its report is awaited

  void started(std::vector<sys::Fd> ends);
  void exited(const Exit& exit);
  bool frame(const sys::Frame& frame);
  void cut_off(FrameLink::Loss loss);
  void report(const sys::ProcessReport& report);
  bool pong(sys::Token token);
  void silent();

  const Surroundings in_;
  const std::string name_;
  const Events events_;
  const pid_t keeper_;
  const sys::ProcessReport expected_;
  KeptProcess process_;
  FrameLink link_;
  LogPipe log_pipe_;
  Timer report_late_;
  Timer still_there_;  // runs while it ends by itself
  Pulse pulse_;
  Stage stage_ = Stage::kAbsent;
  pid_t pid_ = 0;
  std::string last_error_;
};

}  // namespace hooksmtpd::launcher
