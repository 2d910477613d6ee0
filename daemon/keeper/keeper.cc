#include "daemon/keeper/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <optional>
#include <variant>

#include "daemon/keeper/child.h"
#include "daemon/keeper/file_watch.h"
#include "daemon/keeper/memory_kills.h"
#include "daemon/keeper/order.h"
#include "daemon/keeper/system_v.h"
#include "daemon/sys/error.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/process_report.h"

namespace hooksmtpd::keeper {
namespace {

using Clock = std::chrono::steady_clock;
using sys::FrameKind;

// Whoever saves a program may write it in pieces, and make it executable in the end.
constexpr auto kSettled = std::chrono::milliseconds(200);

// Blocks what the keeper must not die of and returns the descriptor that tells of SIGCHLD. Ctrl-C never gets here
// (setsid); somebody who signals every process by hand should stop the supervisor, which ends us by the life pipe.
sys::Fd take_signals() {
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2}) ::signal(signal, SIG_IGN);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sys::must(::sigprocmask(SIG_SETMASK, &child, nullptr), "sigprocmask");
  return sys::Fd(sys::must(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
}

class Keeper {
 public:
  explicit Keeper(Plan plan) : plan_(std::move(plan)), signals_(take_signals()), files_(plan_.watched) {}

  bool tell(const sys::ProcessReport& report) {
    return sys::send_frame(plan_.control, FrameKind::kReport, sys::as_body(report)).has_value();
  }

  // Until the supervisor is gone, or says what it must not say. The exit status.
  int serve() {
    while (true) {
      std::array<pollfd, 4> watched{
          pollfd{.fd = plan_.control.get(), .events = POLLIN, .revents = 0},
          pollfd{.fd = plan_.life.get(), .events = POLLIN, .revents = 0},
          pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
          pollfd{.fd = files_.descriptor(), .events = POLLIN, .revents = 0},
      };
      if (::poll(watched.data(), watched.size(), milliseconds_to_next()) < 0) {
        if (errno == EINTR) continue;
        return EX_OSERR;  // who cannot wait for anything would never see the end of the supervisor
      }
      if (watched[1].revents != 0) return EX_OK;  // nobody writes to it: EOF
      if (watched[2].revents != 0) reap();
      if (kill_at_ && Clock::now() >= *kill_at_) {
        kill_at_.reset();
        kill_all(plan_, child_);
      }
      if (watched[3].revents != 0 && files_.changed()) tell_changed_at_ = Clock::now() + kSettled;
      if (tell_changed_at_ && Clock::now() >= *tell_changed_at_) {
        tell_changed_at_.reset();
        if (!sys::send_frame(plan_.control, FrameKind::kChanged)) return EX_OK;
      }
      if (watched[0].revents == 0) continue;
      if (const std::optional<int> end = read_frames()) return *end;
    }
  }

  ~Keeper() {
    kill_all(plan_, child_);
    while (!plan_.own_pid_namespace && kill_children() && ::waitpid(-1, nullptr, 0) > 0) {
    }
  }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

 private:
  int milliseconds_to_next() const {
    if (!kill_at_ && !tell_changed_at_) return -1;
    const auto never = Clock::time_point::max();
    const auto next = std::min(kill_at_.value_or(never), tell_changed_at_.value_or(never));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
  }

  // The exit status, if it has come to that.
  std::optional<int> read_frames() {
    while (true) {
      const auto frame = sys::receive_frame(plan_.control, sys::Sender::kSupervisor);
      if (!frame) {
        if (frame.error() == sys::FrameError::kWouldBlock) return std::nullopt;
        return frame.error() == sys::FrameError::kBroken ? EX_PROTOCOL : EX_OK;
      }
      const auto order = order_of(*frame, state_);
      if (!order) return EX_PROTOCOL;
      if (!std::visit([this](const auto& one) { return obey(one); }, *order)) return EX_OK;
    }
  }

  // False: nobody listens to us any more.
  bool obey(const StartChild& wanted) {
    kills_before_ = memory_kills(plan_.memory_kills);
    StartResult started = start(plan_, wanted.argv);
    if (started.child.pid < 0) return tell_exited({.wait_status = 0, .exec_errno = started.error.value_or(EAGAIN)});
    child_ = started.child.pid;
    state_ = State::kRunning;
    exec_errno_ = started.error.value_or(0);
    if (started.error) return true;  // it exits by itself; kExited follows
    std::vector<int> fds;
    for (const sys::Fd& end : started.child.ends) fds.push_back(end.get());
    const sys::Started body_of_started{.pid = child_};
    return sys::send_frame(plan_.control, FrameKind::kStarted, sys::as_body(body_of_started), fds).has_value();
  }

  bool obey(const StopChild& wanted) {
    if (state_ != State::kRunning) return true;
    if (wanted.grace.count() == 0) {
      kill_all(plan_, child_);
    } else {
      signal_group(child_, SIGTERM);
      kill_at_ = Clock::now() + wanted.grace;
    }
    return true;
  }

  bool obey(const ReleaseListeners&) {
    plan_.listeners.clear();
    return true;
  }

  // Everything that died: the child, and as pid 1 also the orphans of the namespace.
  void reap() {
    signalfd_siginfo ignored;
    while (::read(signals_.get(), &ignored, sizeof ignored) > 0) {
    }
    while (true) {
      siginfo_t dead{};
      if (::waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) != 0) break;  // ECHILD: nobody is left
      if (dead.si_pid == 0) {  // some are alive, or still dying: another SIGCHLD will come
        if (state_ == State::kEnding) kill_all(plan_, -1);
        return;
      }
      const bool is_the_child = dead.si_pid == child_ && state_ == State::kRunning;
      if (is_the_child) kill_all(plan_, child_);  // while it is not reaped, its process group can be nobody else's
      int status = 0;
      ::waitpid(dead.si_pid, &status, 0);
      if (!is_the_child) continue;
      state_ = State::kEnding;
      wait_status_ = status;
    }
    if (state_ != State::kEnding) return;
    if (plan_.own_ipc_namespace) remove_system_v_objects();
    kill_at_.reset();
    child_ = -1;
    state_ = State::kIdle;
    tell_exited({.wait_status = wait_status_,
                 .exec_errno = exec_errno_,
                 .no_memory = memory_kills(plan_.memory_kills) > kills_before_ ? 1u : 0u});
  }

  bool tell_exited(sys::Exited exited) {
    return sys::send_frame(plan_.control, FrameKind::kExited, sys::as_body(exited)).has_value();
  }

  Plan plan_;
  sys::Fd signals_;
  State state_ = State::kIdle;
  pid_t child_ = -1;
  int wait_status_ = 0;
  int exec_errno_ = 0;
  std::uint64_t kills_before_ = 0;
  std::optional<Clock::time_point> kill_at_;
  FileWatch files_;
  std::optional<Clock::time_point> tell_changed_at_;
};

}  // namespace

int run(Plan plan) {
  // Promise P2: whatever went wrong before, nothing is ever executed with a privilege.
  const sys::ProcessReport report = sys::SelfReport().read();
  if (!sys::privilege_left(report, plan.demands).empty()) return EX_CONFIG;
  adopt_orphans(plan);
  Keeper keeper(std::move(plan));
  if (!keeper.tell(report)) return EX_OSERR;
  return keeper.serve();
}

}  // namespace hooksmtpd::keeper
