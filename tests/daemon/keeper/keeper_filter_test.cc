#include "daemon/keeper/keeper_filter.h"

#include <doctest/doctest.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "daemon/sys/fd.h"
#include "tests/daemon/sys/in_child.h"

using namespace hooksmtpd;
using sys::error_of;

namespace {

int error_under_it(const std::function<int()>& act, keeper::Reach reach = keeper::Reach::kJail, bool connects = true) {
  return sys::exit_status(sys::in_child([&] {
    sys::install(keeper::keeper_filter(::getppid(), reach, connects));
    return act();
  }));
}

}  // namespace

TEST_CASE("a hook runs programs, processes and sockets as ever") {
  CHECK(error_under_it([] {
          const int status = sys::in_child([] { return error_of(::execl("/bin/true", "true", nullptr)); });
          return sys::exit_status(status);
        }) == 0);
  CHECK(error_under_it([] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }) == 0);
  CHECK(error_under_it([] { return error_of(::socket(AF_INET6, SOCK_STREAM, 0)); }) == 0);
  CHECK(error_under_it([] { return error_of(::personality(0xffffffff)); }) == 0);
}

TEST_CASE("who is not to connect connects to nothing") {
  const auto connect = [] {
    const sys::Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    const sockaddr nobody{.sa_family = AF_UNIX, .sa_data = "x"};
    return error_of(::connect(socket.get(), &nobody, sizeof nobody));
  };
  CHECK(error_under_it(connect) != EACCES);
  CHECK(error_under_it(connect, keeper::Reach::kJail, false) == EACCES);
}

TEST_CASE("nobody gets new namespaces, mounts or other processes' memory") {
  CHECK(error_under_it([] { return error_of(::unshare(CLONE_NEWUSER)); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::syscall(SYS_clone3, nullptr, 0)); }) == ENOSYS);
  CHECK(error_under_it([] { return error_of(::mount("none", "/tmp", "tmpfs", 0, nullptr)); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::syscall(SYS_io_uring_setup, 1, nullptr)); }) == EPERM);
}

TEST_CASE("nobody weakens an address space, types into a terminal or opens an odd socket") {
  CHECK(error_under_it([] { return error_of(::personality(ADDR_NO_RANDOMIZE)); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::ioctl(0, TIOCSTI, "x")); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)); }) == 0);
  CHECK(error_under_it([] { return error_of(::socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)); }) == EAFNOSUPPORT);
  CHECK(error_under_it([] { return error_of(::socket(AF_VSOCK, SOCK_STREAM, 0)); }) == EAFNOSUPPORT);
  CHECK(error_under_it([] { return error_of(::socket(AF_ALG, SOCK_SEQPACKET, 0)); }) == EAFNOSUPPORT);
}

TEST_CASE("no stream but TCP, of which Landlock would know nothing") {
  for (const int protocol : {IPPROTO_MPTCP, IPPROTO_SCTP, IPPROTO_DCCP}) {
    CHECK(error_under_it([&] { return error_of(::socket(AF_INET, SOCK_STREAM, protocol)); }) == EPROTONOSUPPORT);
    CHECK(error_under_it([&] { return error_of(::socket(AF_INET6, SOCK_STREAM, protocol)); }) == EPROTONOSUPPORT);
  }
  CHECK(error_under_it([] { return error_of(::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)); }) == 0);
}

TEST_CASE("nobody limits another process, or slows its keeper down") {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  const sched_param parameter{};
  CHECK(error_under_it([&] { return error_of(::prlimit(::getppid(), RLIMIT_NOFILE, &none, nullptr)); }) == EPERM);
  CHECK(error_under_it([&] { return error_of(::prlimit(1 << 22, RLIMIT_NOFILE, &none, nullptr)); }) == EPERM);
  CHECK(error_under_it([&] { return error_of(::setrlimit(RLIMIT_CORE, &none)); }) == 0);
  CHECK(error_under_it([&] { return error_of(::sched_setscheduler(::getppid(), SCHED_IDLE, &parameter)); }) == EPERM);
  CHECK(error_under_it([&] { return error_of(::sched_setscheduler(0, SCHED_IDLE, &parameter)); }) == 0);
  CHECK(error_under_it([] { return error_of(::setpriority(PRIO_PROCESS, ::getppid(), 19)); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::setpriority(PRIO_PGRP, ::getppid(), 19)); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::setpriority(PRIO_USER, 0, 19)); }) == EPERM);
  CHECK(error_under_it([] { return error_of(::setpriority(PRIO_PROCESS, 0, 19)); }) == 0);
}

TEST_CASE("without a jail nobody slows another process down, or makes a socket with a name") {
  const auto error_outside = [](const std::function<int()>& act) {
    return error_under_it(act, keeper::Reach::kMachine);
  };
  const sched_param parameter{};
  const pid_t nobody = 1 << 21;
  for (const pid_t other : {::getpid(), nobody}) {
    CHECK(error_outside([&] { return error_of(::sched_setscheduler(other, SCHED_IDLE, &parameter)); }) == EPERM);
    CHECK(error_outside([&] { return error_of(::setpriority(PRIO_PROCESS, static_cast<id_t>(other), 19)); }) == EPERM);
    CHECK(error_outside([&] { return error_of(::setpriority(PRIO_PGRP, static_cast<id_t>(other), 19)); }) == EPERM);
  }
  CHECK(error_outside([&] { return error_of(::sched_setscheduler(0, SCHED_IDLE, &parameter)); }) == 0);
  CHECK(error_outside([] { return error_of(::setpriority(PRIO_PROCESS, 0, 19)); }) == 0);
  CHECK(error_outside([] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }) == EAFNOSUPPORT);
  int pair[2] = {-1, -1};
  CHECK(error_outside([&] { return error_of(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair)); }) == 0);
}

TEST_CASE("nobody connects by sending") {
  const sys::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(error_under_it([&] { return error_of(::send(socket.get(), "x", 1, MSG_FASTOPEN)); }) == EOPNOTSUPP);
  CHECK(error_under_it([&] {
          msghdr nothing{};
          return error_of(::sendmsg(socket.get(), &nothing, MSG_FASTOPEN));
        }) == EOPNOTSUPP);
}
