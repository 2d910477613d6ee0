#include "daemon/launcher/supervisor_sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "daemon/sys/memfd.h"
#include "tests/daemon/sys/in_child.h"

namespace hooksmtpd::launcher {
namespace {

using sys::error_of;

// What became of `act`, which returns an errno, in a supervisor that sees /usr/bin and /tmp.
int after_the_line(const std::function<int()>& act) {
  return sys::in_child([&] {
    if (::geteuid() == 0 && (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0)) return 98;
    Jail view;
    view.binds = {{.path = "/usr/bin"}, {.path = "/tmp", .access = Jail::Access::kReadWrite}};
    const sys::Fd proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    enter_supervisor_sandbox(view, proc.get(), {.filter = true, .landlock = true, .fixed_code = false});
    return act();
  });
}
int error(const std::function<int()>& act) { return sys::exit_status(after_the_line(act)); }
bool kills(const std::function<int()>& act) { return sys::killed_by(after_the_line(act)) == SIGSYS; }

}  // namespace

TEST_CASE("the supervisor reads its configuration and /proc, and hands memory over") {
  CHECK(error([] { return error_of(::open("/usr/bin/env", O_RDONLY)); }) == 0);
  CHECK(error([] { return error_of(::open("/proc/self/status", O_RDONLY)); }) == 0);
  CHECK(error([] { return sys::make_sealed_memfd("config", "{}").valid() ? 0 : 1; }) == 0);
  CHECK(error([] { return ::waitpid(-1, nullptr, WNOHANG) < 0 ? errno : 0; }) == ECHILD);
}

TEST_CASE("it reads and writes nothing else") {
  CHECK(error([] { return error_of(::open("/etc/passwd", O_RDONLY)); }) == EACCES);
  CHECK(error([] { return error_of(::open("/usr/bin/env", O_RDWR)); }) == EACCES);
  CHECK(error([] { return error_of(::kill(::getppid(), 0)); }) == EPERM);
  CHECK(error([] { return error_of(::socket(AF_INET, SOCK_STREAM, 0)); }) == EPERM);
}

TEST_CASE("it starts nothing any more: who tries is killed") {
  CHECK(kills([] { return error_of(::fork()); }));
  CHECK(kills([] { return error_of(::execl("/usr/bin/true", "true", nullptr)); }));
  CHECK(kills([] { return error_of(::setuid(0)); }));
}

}  // namespace hooksmtpd::launcher
