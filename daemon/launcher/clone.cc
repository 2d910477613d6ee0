#include "daemon/launcher/clone.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {

pid_t clone_process(Namespaces namespaces) {
  if (namespaces == Namespaces::kShared) return sys::must(::fork(), "fork");
  // Unlike unshare(2), which has a process make only one pid namespace in its life. The launcher has a single thread
  // and no atfork handler, so that nothing of the C library's fork() is missed.
  clone_args arguments{};
  arguments.flags = CLONE_NEWNS | CLONE_NEWPID;
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(sys::must(::syscall(SYS_clone3, &arguments, sizeof arguments), "clone3"));
}

}  // namespace hooksmtpd::launcher
