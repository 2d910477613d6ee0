#include "daemon/worker/sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "tests/daemon/sys/in_child.h"

using namespace hooksmtpd;
using sys::error_of;

namespace {

// A spool, and what happens in it to who has crossed the line.
class Spool {
 public:
  Spool() {
    std::string name = "/tmp/hooksmtpd-spool-XXXXXX";
    path_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(path_ / "hook");
    if (::geteuid() == 0) std::filesystem::permissions(path_, std::filesystem::perms::all);
    folder_.reset(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool() { std::filesystem::remove_all(path_); }

  int folder() const { return folder_.get(); }

  // What became of `act`, which returns an errno; as nobody, since root is refused.
  int after_the_line(const std::function<int()>& act) const {
    return sys::in_child([&] {
      if (::geteuid() == 0 && (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0))
        return 98;
      const sys::ProcessReport report =
          sys::enter_sandbox(worker::sandbox(folder_), {.filter = true, .landlock = true, .fixed_code = false});
      return report.seccomp == 2 ? act() : 97;
    });
  }
  int error(const std::function<int()>& act) const { return sys::exit_status(after_the_line(act)); }
  bool kills(const std::function<int()>& act) const { return sys::killed_by(after_the_line(act)) == SIGSYS; }

 private:
  std::filesystem::path path_;
  sys::Fd folder_;
};

constexpr int kCreate = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

}  // namespace

TEST_CASE("the worker keeps messages in the spool, and touches no other file") {
  const Spool spool;
  CHECK(spool.error([&] { return error_of(::openat(spool.folder(), "one", kCreate, 0444)); }) == 0);
  CHECK(spool.error([&] { return error_of(::linkat(spool.folder(), "one", spool.folder(), "two", 0)); }) == 0);
  CHECK(spool.error([&] { return error_of(::unlinkat(spool.folder(), "two", 0)); }) == 0);
  CHECK(spool.error([] { return error_of(::open("/etc/passwd", O_RDONLY)); }) == EACCES);
  CHECK(spool.error([] { return error_of(::open("/tmp", O_TMPFILE | O_RDWR, 0600)); }) == EACCES);
  CHECK(spool.error([] { return error_of(::open("/proc/self/mem", O_RDWR)); }) == EACCES);
}

TEST_CASE("it starts nothing and connects to nobody: who tries is killed") {
  const Spool spool;
  CHECK(spool.kills([] { return error_of(::execl("/bin/true", "true", nullptr)); }));
  CHECK(spool.kills([] { return error_of(::fork()); }));
  CHECK(spool.kills([] { return error_of(::socket(AF_INET, SOCK_STREAM, 0)); }));
  CHECK(spool.kills([] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }));
  CHECK(spool.kills([] { return error_of(::syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)); }));
  CHECK(spool.kills([] { return error_of(::syscall(SYS_unshare, 0)); }));
  CHECK(spool.kills([] { return error_of(::setuid(0)); }));
}

TEST_CASE("what is not on its list is refused") {
  const Spool spool;
  CHECK(spool.error([] { return error_of(::kill(::getpid(), 0)); }) == EPERM);
  CHECK(spool.error([&] { return error_of(::fchdir(spool.folder())); }) == EPERM);
  CHECK(spool.error([] { return error_of(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }) == EPERM);
  CHECK(spool.error([] {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
  }) == EPERM);
  CHECK(spool.error([] {
    const rlimit more{.rlim_cur = 1, .rlim_max = 1};
    return error_of(::setrlimit(RLIMIT_CORE, &more));
  }) == EPERM);
}

TEST_CASE("it makes no program, and sends to nobody but the peer of a connection") {
  const Spool spool;
  CHECK(spool.error([&] { return error_of(::openat(spool.folder(), "setuid", kCreate, 04444)); }) == EPERM);
  CHECK(spool.error([&] { return error_of(::openat(spool.folder(), "program", kCreate, 0555)); }) == EPERM);
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const sys::Fd ours(pair[0]), theirs(pair[1]);
  const sockaddr somewhere{.sa_family = AF_UNIX, .sa_data = {}};
  CHECK(spool.error([&] { return error_of(::send(ours.get(), "x", 1, MSG_NOSIGNAL)); }) == 0);
  CHECK(spool.error([&] { return error_of(::send(ours.get(), "x", 1, MSG_FASTOPEN)); }) == EPERM);
  CHECK(spool.error([&] {
    return error_of(::sendto(ours.get(), "x", 1, MSG_NOSIGNAL, &somewhere, sizeof somewhere));
  }) == EPERM);
}

TEST_CASE("it signals itself only") {
  const Spool spool;
  CHECK(spool.error([] { return error_of(::syscall(SYS_tgkill, ::getpid(), ::gettid(), 0)); }) == 0);
  CHECK(spool.error([] { return error_of(::syscall(SYS_tgkill, 1, 1, 0)); }) == EPERM);
}
