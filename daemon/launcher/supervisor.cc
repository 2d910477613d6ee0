#include "daemon/launcher/supervisor.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <vector>

#include "daemon/launcher/loop.h"
#include "daemon/launcher/privilege.h"
#include "daemon/launcher/service.h"
#include "daemon/sys/error.h"
#include "daemon/sys/log.h"

namespace hooksmtpd::launcher {
namespace {

using Milliseconds = Loop::Milliseconds;

constexpr Milliseconds kIdle = std::chrono::hours(1);
constexpr Milliseconds kLogRetry{50};  // a terminal that was stopped, a pipe that was full
constexpr Milliseconds kKeepersEnd = std::chrono::seconds(2);

// From now on signals are read, in their turn, like everything else.
sys::Fd take_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  sys::must(::sigprocmask(SIG_SETMASK, &set, nullptr), "sigprocmask");
  return sys::Fd(sys::must(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
}

void reap(Service& service) {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) service.keeper_ended(pid, status);
}

void take_signal(const sys::Fd& signals, Service& service) {
  signalfd_siginfo info;
  while (::read(signals.get(), &info, sizeof info) == sizeof info) {
    switch (info.ssi_signo) {
      case SIGCHLD:
        reap(service);
        break;
      case SIGHUP:
        service.hang_up();
        break;
      default:
        service.terminate();
        break;
    }
  }
}

// They end by themselves as soon as the life pipe is closed. Whoever waits for us should find nothing left.
void wait_for_keepers() {
  const auto limit = Loop::Clock::now() + kKeepersEnd;
  while (Loop::Clock::now() < limit) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid < 0) return;
    if (pid == 0) ::usleep(2000);
  }
}

// The sockets that should not outlive us.
std::vector<std::filesystem::path> names_in_the_file_system(const Tree& tree) {
  std::vector<std::filesystem::path> names{tree.config.runtime_dir / "control.sock"};
  for (const BoundAddress& bound : tree.bound) {
    if (!bound.inherited && bound.address.starts_with(kUnix)) names.emplace_back(bound.address.substr(kUnix.size()));
  }
  return names;
}

int serve(const sys::Fd& signals, sys::Log& log, Tree tree) {
  sys::Fd life = std::move(tree.life);
  const std::vector<std::filesystem::path> names = names_in_the_file_system(tree);
  Loop loop;
  Service service(loop, log, std::move(tree));
  Watch signal_watch(loop, [&](short) { take_signal(signals, service); });
  signal_watch.start(signals.get(), POLLIN);
  service.start();
  while (!service.exit_status()) {
    loop.turn(log.pending() ? kLogRetry : kIdle);
    log.flush();
  }
  // The control socket stays open until now: its end tells `hooksmtpctl stop --wait` that nothing is left.
  life.reset();
  wait_for_keepers();
  // A plain user's; root's folder is not ours, and the next start takes them away.
  for (const std::filesystem::path& name : names) ::unlink(name.c_str());
  return *service.exit_status();
}

}  // namespace

int supervise(Tree tree) {
  const sys::Fd signals = take_signals();
  sys::Log log = tree.journal.valid() ? sys::Log::to_journal(std::move(tree.journal)) : sys::Log::to_stderr();

  if (tree.lock_in) tree.lock_in();
  std::string wrong = own_privilege(tree);
  if (wrong.empty()) wrong = keepers_privilege(tree);
  if (!wrong.empty()) {
    log.error("start refused: a privilege is left: {}", wrong);
    return EX_CONFIG;
  }

  const int status = serve(signals, log, std::move(tree));
  log.info("stopped status={}", status);
  return status;
}

}  // namespace hooksmtpd::launcher
