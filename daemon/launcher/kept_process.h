// One slot as the supervisor sees it: a keeper at the other end of a link, and the child that it starts, again and
// again. Keeps the state (slot_state.h) and the back-off; what a start or an end means, its owner decides.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/launcher/backoff.h"
#include "daemon/launcher/frame_link.h"
#include "daemon/launcher/loop.h"
#include "daemon/launcher/slot_state.h"

namespace hooksmtpd::launcher {

// How a child ended.
struct Exit {
  int wait_status = 0;
  int exec_errno = 0;      // not 0: there never was a child, execve failed
  bool no_memory = false;  // it used up what sandbox.memory gives
  bool asked_for = false;
  Loop::Milliseconds ran{0};
};
// "status=1", "signal=9", "exec=\"No such file or directory\"", and why, where the kernel said so.
std::string to_string(const Exit& exit);

class KeptProcess {
 public:
  struct Events {
    std::function<void(std::vector<sys::Fd> ends)> started;
    std::function<void(const Exit&)> exited;         // may start() or retry()
    std::function<void(std::string_view why)> lost;  // the keeper: kGone, for good
    std::function<void()> changed{};                 // a file that the keeper watches
  };

  KeptProcess(Loop& loop, sys::Fd keeper, std::vector<std::string> argv, Events events);

  SlotState state() const { return state_; }
  bool up() const { return state_ == SlotState::kRunning; }
  // Nothing of the child is left, and none is on its way.
  bool down() const;
  std::int32_t pid() const { return pid_; }                 // in the child's pid namespace; 0: none
  std::uint32_t generation() const { return generation_; }  // counts the starts
  std::uint32_t failures() const { return failures_; }      // in all
  const std::vector<std::string>& argv() const { return argv_; }

  // Where nothing runs: now. Else nothing happens.
  void start();
  // After an end that nobody asked for: starts when the back-off says so. Returns how long that is.
  Loop::Milliseconds retry();
  // SIGTERM, SIGKILL after the grace; 0: SIGKILL at once. Called again: with the new grace. Waiting for a start: none.
  void stop(Loop::Milliseconds grace);
  // The keeper closes its listeners.
  void release() { link_.send(sys::FrameKind::kRelease); }
  // For the next start. Must fit into a kStart (fits()).
  void set_argv(std::vector<std::string> argv);
  static bool fits(const std::vector<std::string>& argv);
  // The keeper has ended, as wait(2) says, or is of no use any more.
  void give_up_keeper(std::string_view why);

 private:
  bool frame(sys::Frame frame);
  bool move(SlotEvent event);  // false: the table knows no such thing
  void send_stop();

  Loop& loop_;
  Events events_;
  std::vector<std::string> argv_;
  FrameLink link_;
  Timer next_start_;
  Timer keeper_answers_;
  SlotState state_ = SlotState::kIdle;
  Backoff backoff_;
  std::optional<Loop::Milliseconds> stop_;  // asked for, with this grace
  Loop::Time started_{};
  std::int32_t pid_ = 0;
  std::uint32_t generation_ = 0;
  std::uint32_t failures_ = 0;
};

}  // namespace hooksmtpd::launcher
