#include "daemon/ctl/child.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>

// glibc 2.36 forgot to say that these are C.
extern "C" {
#include <sys/pidfd.h>
}

#include "daemon/sys/error.h"

namespace hooksmtpd::ctl {

std::expected<Child, Failure> Child::start(const std::vector<std::string>& argv) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  if (const int error = ::posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ); error != 0) {
    return std::unexpected(
        Failure{EX_UNAVAILABLE, "command", fmt::format("{}: {}", argv.front(), sys::errno_text(error))});
  }
  sys::Fd pidfd(::pidfd_open(pid, 0));
  if (!pidfd.valid()) {
    return std::unexpected(Failure{EX_OSERR, "system", fmt::format("pidfd_open: {}", sys::errno_text(errno))});
  }
  return Child(pid, std::move(pidfd));
}

Child::~Child() {
  if (pidfd_.valid() && !status()) ::pidfd_send_signal(pidfd_.get(), SIGTERM, nullptr, 0);
}

std::optional<int> Child::status() {
  if (status_) return status_;
  int how = 0;
  if (::waitpid(pid_, &how, WNOHANG) != pid_) return std::nullopt;
  status_ = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
  return status_;
}

}  // namespace hooksmtpd::ctl
