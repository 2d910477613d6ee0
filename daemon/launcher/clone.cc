#include "daemon/launcher/clone.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {
namespace {

struct Flag {
  Namespaces name;
  unsigned long flag;
};
constexpr std::array kFlags{
    Flag{Namespaces::kMount, CLONE_NEWNS}, Flag{Namespaces::kPid, CLONE_NEWPID},
    Flag{Namespaces::kIpc, CLONE_NEWIPC},  Flag{Namespaces::kNetwork, CLONE_NEWNET},
    Flag{Namespaces::kUts, CLONE_NEWUTS},  Flag{Namespaces::kUser, CLONE_NEWUSER},
};

void write_to(const char* path, const std::string& text) {
  const sys::Fd file(sys::must(::open(path, O_WRONLY | O_CLOEXEC), path));
  sys::must(::write(file.get(), text.data(), text.size()), path);
}

}  // namespace

pid_t clone_process(Namespaces namespaces) {
  if (namespaces == Namespaces::kShared) return sys::must(::fork(), "fork");
  // Unlike unshare(2), which has a process make only one pid namespace in its life. The launcher has a single thread
  // and no atfork handler, so that nothing of the C library's fork() is missed. Not clone3(2), which filters refuse
  // because they cannot see its flags (systemd's RestrictNamespaces=).
  unsigned long flags = SIGCHLD;
  for (const Flag& one : kFlags) {
    if (has(namespaces, one.name)) flags |= one.flag;
  }
  return static_cast<pid_t>(sys::must(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr), "clone"));
}

void map_own_user(const Identity& identity) {
  // A program file with a capability made us not dumpable, so that our files in /proc belong to root.
  sys::must(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl PR_SET_DUMPABLE");
  write_to("/proc/self/setgroups", "deny");  // else a group that takes rights away could be got rid of
  write_to("/proc/self/uid_map", fmt::format("{0} {0} 1\n", identity.uid));
  write_to("/proc/self/gid_map", fmt::format("{0} {0} 1\n", identity.gid));
}

void raise_loopback() {
  const sys::Fd socket(sys::must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  sys::must(::ioctl(socket.get(), SIOCGIFFLAGS, &request), "the state of lo");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  sys::must(::ioctl(socket.get(), SIOCSIFFLAGS, &request),
            "taking lo up for sandbox.network = \"loopback\" (it takes CAP_NET_ADMIN; as a service: loopback.conf)");
}

}  // namespace hooksmtpd::launcher
