#include "daemon/keeper/keeper.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <deque>

#include "daemon/keeper/child.h"
#include "daemon/keeper/file_watch.h"
#include "daemon/keeper/memory_kills.h"
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

// The arguments of a kStart: each ended by NUL.
std::vector<std::string> parse_argv(std::string_view body) {
  std::vector<std::string> argv;
  while (!body.empty()) {
    const std::size_t end = body.find('\0');
    if (end == std::string_view::npos) return {};
    argv.emplace_back(body.substr(0, end));
    body.remove_prefix(end + 1);
  }
  return argv;
}

class Keeper {
 public:
  explicit Keeper(Plan plan) : plan_(std::move(plan)), signals_(take_signals()), files_(plan_.watched) {}

  bool tell(const sys::ProcessReport& report) {
    return sys::send_frame(plan_.control, FrameKind::kReport, sys::as_body(report)).has_value();
  }

  // Until the supervisor is gone, or says what it must not say.
  void serve() {
    while (true) {
      std::array<pollfd, 4> watched{
          pollfd{.fd = plan_.control.get(), .events = POLLIN, .revents = 0},
          pollfd{.fd = plan_.life.get(), .events = POLLIN, .revents = 0},
          pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
          pollfd{.fd = files_.descriptor(), .events = POLLIN, .revents = 0},
      };
      if (::poll(watched.data(), watched.size(), milliseconds_to_next()) < 0) {
        if (errno == EINTR) continue;
        return;  // who cannot wait for anything would never see the end of the supervisor
      }
      if (watched[1].revents != 0) return;  // nobody writes to it: EOF
      if (watched[2].revents != 0) reap();
      if (kill_at_ && Clock::now() >= *kill_at_) {
        kill_at_.reset();
        kill_all(plan_, child_);
      }
      if (watched[3].revents != 0 && files_.changed()) tell_changed_at_ = Clock::now() + kSettled;
      if (tell_changed_at_ && Clock::now() >= *tell_changed_at_) {
        tell_changed_at_.reset();
        if (!sys::send_frame(plan_.control, FrameKind::kChanged)) return;
      }
      if (watched[0].revents != 0 && !read_frames()) return;
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
  enum class State { kIdle, kRunning, kEnding };  // kEnding: the child is gone, its offspring not yet

  int milliseconds_to_next() const {
    if (!kill_at_ && !tell_changed_at_) return -1;
    const auto never = Clock::time_point::max();
    const auto next = std::min(kill_at_.value_or(never), tell_changed_at_.value_or(never));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
  }

  bool read_frames() {
    while (true) {
      const auto frame = sys::receive_frame(plan_.control, sys::Sender::kSupervisor);
      if (!frame) return frame.error() == sys::FrameError::kWouldBlock;
      if (!obey(*frame)) return false;
    }
  }

  // False: a frame that this state does not expect.
  bool obey(const sys::Frame& frame) {
    switch (frame.kind) {
      case FrameKind::kStart:
        return state_ == State::kIdle && start_child(frame.body);
      case FrameKind::kStop:
        stop_child(sys::body_as<sys::Stop>(frame.body));
        return true;
      case FrameKind::kRelease:
        plan_.listeners.clear();
        return true;
      default:
        return false;
    }
  }

  bool start_child(std::string_view body) {
    const std::vector<std::string> argv = parse_argv(body);
    if (argv.empty()) return false;
    kills_before_ = memory_kills(plan_.memory_kills);
    StartResult started = start(plan_, argv);
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

  void stop_child(sys::Stop stop) {
    if (state_ != State::kRunning) return;  // it ended by itself a moment ago; kExited is on its way
    if (stop.grace_ms == 0) return kill_all(plan_, child_);
    signal_group(child_, SIGTERM);
    kill_at_ = Clock::now() + std::chrono::milliseconds(stop.grace_ms);
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
  keeper.serve();
  return EX_OK;
}

}  // namespace hooksmtpd::keeper
