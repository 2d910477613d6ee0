#include "daemon/launcher/clone.h"

#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

pid_t clone_process(Namespaces namespaces) {
  if (namespaces == Namespaces::kShared) return sys::must(::fork(), "fork");
  // Unlike unshare(2), which has a process make only one pid namespace in its life. The launcher has a single thread
  // and no atfork handler, so that nothing of the C library's fork() is missed.
  clone_args arguments{};
  arguments.flags = CLONE_NEWNS | CLONE_NEWPID;
  if (namespaces == Namespaces::kOwnAndNetwork) arguments.flags |= CLONE_NEWNET;
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(sys::must(::syscall(SYS_clone3, &arguments, sizeof arguments), "clone3"));
}

void raise_loopback() {
  const sys::Fd socket(sys::must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  sys::must(::ioctl(socket.get(), SIOCGIFFLAGS, &request), "the state of lo");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  sys::must(::ioctl(socket.get(), SIOCSIFFLAGS, &request), "taking lo up (sandbox.network = \"loopback\")");
}

}  // namespace hooksmtpd::launcher
