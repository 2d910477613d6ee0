#include "daemon/launcher/run_hook.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "daemon/launcher/clone.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/descriptors.h"
#include "daemon/sys/error.h"
#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

using sys::Fd;
using sys::must;

// What a shell says of a program that is there and cannot be executed.
constexpr int kNotExecuted = 126;

std::vector<char*> pointers(std::span<const std::string> strings) {
  std::vector<char*> out;
  for (const std::string& one : strings) out.push_back(const_cast<char*>(one.c_str()));
  out.push_back(nullptr);
  return out;
}

// In the hook's own process; never returns. A session of its own: a hook that shares the caller's terminal could push
// input into it (TIOCSTI).
[[noreturn]] void become(const KeeperPlan& plan, std::span<const std::string> argv) {
  const std::vector<char*> arguments = pointers(argv);
  const std::vector<char*> environment = pointers(plan.environment);
  sys::close_all_but({});
  ::umask(077);
  sys::limit(plan.child_limits);
  if (::setsid() >= 0 && ::chdir(plan.directory.c_str()) == 0) {
    ::execve(arguments[0], arguments.data(), environment.data());
  }
  fmt::print(stderr, "hooksmtpd: {}: {}\n", argv.front(), std::strerror(errno));
  ::_exit(kNotExecuted);
}

int status_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return EX_OSERR;
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Until the child has ended, or the life pipe says that our parent has.
void await(pid_t child, const Fd& life) {
  // By number: the declaration of glibc 2.36 is not for C++.
  const Fd process(static_cast<int>(must(::syscall(SYS_pidfd_open, child, 0), "pidfd_open")));
  std::array<pollfd, 2> watched{pollfd{.fd = process.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = life.get(), .events = POLLIN, .revents = 0}};
  while (::poll(watched.data(), watched.size(), -1) < 0) {
    if (errno != EINTR) sys::throw_errno("poll");
  }
}

// What a keeper is in the daemon: as pid 1 of its own pid namespace it takes everything with it when it exits;
// elsewhere it kills the hook's process group. Never returns.
[[noreturn]] void guard(const KeeperPlan& plan, std::span<const std::string> argv, Fd life) try {
  for (const Fd& file : plan.group.joins) must(::write(file.get(), "0", 1), "cgroup.procs");
  const std::array kept{life.get()};
  sys::close_all_but(kept);
  lock_in(plan);  // no privilege from here on
  const pid_t hook = must(::fork(), "fork");
  if (hook == 0) become(plan, argv);
  sys::standard_descriptors_to_null();  // whoever reads what the hook prints is to see it end
  await(hook, life);
  ::kill(-hook, SIGKILL);
  ::_exit(status_of(hook));
} catch (const std::exception& error) {
  fmt::print(stderr, "hooksmtpd: {}\n", error.what());
  ::_exit(EX_OSERR);
}

}  // namespace

int run_hook(const KeeperPlan& plan, std::span<const std::string> argv, const Identity& watcher) {
  sys::Pipe life = sys::make_pipe();
  const pid_t pid = clone_process(plan.namespaces);
  if (pid == 0) guard(plan, argv, std::move(life.read));
  life.read.reset();
  drop_to(watcher);
  sys::standard_descriptors_to_null();
  return status_of(pid);
}

}  // namespace hooksmtpd::launcher
