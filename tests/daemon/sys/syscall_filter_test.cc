#include "daemon/sys/syscall_filter.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <functional>
#include <stdexcept>

#include "tests/daemon/sys/in_child.h"

using namespace hooksmtpd::sys;

namespace {

// What any process needs to say how it went.
SyscallFilter list_of(std::vector<SyscallRule> rules, Verdict otherwise = refuse(EPERM)) {
  rules.push_back({.calls = {"exit_group", "write"}, .verdict = kAllow});
  return {.otherwise = otherwise, .rules = std::move(rules)};
}

int after(const SyscallFilter& filter, const std::function<int()>& call) {
  return in_child([&] {
    install(filter);
    return call();
  });
}

}  // namespace

TEST_CASE("this machine has seccomp, or nothing below means anything") { CHECK(syscall_filter_missing().empty()); }

TEST_CASE("what is on a list of allowed calls works, and nothing else") {
  const SyscallFilter filter = list_of({{.calls = {"getppid"}, .verdict = kAllow}});
  CHECK(exit_status(after(filter, [] { return ::getppid() > 0 ? 0 : 1; })) == 0);
  CHECK(exit_status(after(filter, [] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); })) == EPERM);
}

TEST_CASE("a refused call gets its own errno") {
  const SyscallFilter filter = list_of({{.calls = {"socket", "pipe2"}, .verdict = refuse(ENOSYS)}}, kAllow);
  CHECK(exit_status(after(filter, [] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); })) == ENOSYS);
  CHECK(exit_status(after(filter, [] { return error_of(::getppid()); })) == 0);
}

TEST_CASE("a call that kills ends the whole process by SIGSYS") {
  const SyscallFilter filter = list_of({{.calls = {"execve"}, .verdict = kKill}}, kAllow);
  CHECK(killed_by(after(filter, [] {
          ::execl("/bin/true", "true", nullptr);
          return 0;
        })) == SIGSYS);
}

TEST_CASE("arguments are looked at") {
  const SyscallFilter filter = list_of(
      {{.calls = {"mmap"}, .verdict = kAllow, .when = {has_none_of(2, PROT_EXEC)}},
       {.calls = {"socket"}, .verdict = kAllow, .when = {int_equals(0, AF_UNIX), has_all_of(1, SOCK_CLOEXEC)}}});
  const auto map = [](int protection) {
    return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
  };
  CHECK(exit_status(after(filter, [&] { return map(PROT_READ | PROT_WRITE); })) == 0);
  CHECK(exit_status(after(filter, [&] { return map(PROT_READ | PROT_EXEC); })) == EPERM);
  CHECK(exit_status(after(filter, [] { return error_of(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); })) == 0);
  CHECK(exit_status(after(filter, [] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); })) == EPERM);
  CHECK(exit_status(after(filter, [] { return error_of(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); })) == EPERM);
}

TEST_CASE("one call may have several rules, of which one must hold") {
  const SyscallFilter filter = list_of({{.calls = {"prctl"}, .verdict = kAllow, .when = {equals(0, PR_GET_DUMPABLE)}},
                                        {.calls = {"prctl"}, .verdict = kAllow, .when = {equals(0, PR_GET_NAME)}}});
  CHECK(exit_status(after(filter, [] { return error_of(::prctl(PR_GET_DUMPABLE)); })) == 0);
  CHECK(exit_status(after(filter, [] { return error_of(::prctl(PR_GET_KEEPCAPS)); })) == EPERM);
}

TEST_CASE("a later filter takes away, and gives nothing back") {
  CHECK(exit_status(in_child([] {
          install(list_of({{.calls = {"getppid"}, .verdict = refuse(EPERM)}}, kAllow));
          install(list_of({{.calls = {"getppid"}, .verdict = kAllow}}, refuse(ENOSYS)));
          return static_cast<int>(::syscall(SYS_getppid)) < 0 ? errno : 0;
        })) == EPERM);
}

TEST_CASE("a 32-bit system call is no way around") {
#ifdef __x86_64__
  CHECK(killed_by(after(list_of({}, kAllow), [] {
          long result = 20;  // getpid, as i386 counts
          asm volatile("int $0x80" : "+a"(result) : : "memory");
          return 0;
        })) == SIGSYS);
#endif
}

TEST_CASE("a name that nobody knows is our mistake") {
  CHECK_THROWS_AS(install(list_of({{.calls = {"opennat"}, .verdict = kKill}}, kAllow)), std::logic_error);
}
