// A keeper: the small parent of the worker, the keyholder or one hook. It was forked by the launcher, has dropped every
// privilege and sits in its jail already; it starts its child when the supervisor says so, again and again, and holds
// what must survive the child: the listeners, the spool directory, the keys as root read them, the identity itself.
//
// It decides nothing. kStart: fork and exec. kStop: SIGTERM, SIGKILL after the grace. When the child ends, everything
// that the child left behind ends with it, and kExited goes out. EOF on the life pipe or on the control socket, or a
// frame out of place: kill all and exit.

#pragma once

#include <string>
#include <vector>

#include "daemon/sys/fd.h"
#include "daemon/sys/process_report.h"
#include "daemon/sys/rlimits.h"

namespace hooksmtpd::keeper {

struct Plan {
  enum class Child { kWorker, kKeyholder, kHook };

  Child child = Child::kHook;
  sys::Fd control;  // frames with the supervisor: SOCK_SEQPACKET, non-blocking
  sys::Fd life;     // read end of the life pipe
  // Pid 1 of its own pid namespace may kill by kill(-1) and reaps for all; anyone else kills a process group.
  bool own_pid_namespace = false;
  // Landlock lets its child signal nobody but what that starts: without a pid namespace it could kill us.
  bool child_signals_nobody = false;
  // System V objects that the child left go with it.
  bool own_ipc_namespace = false;
  sys::Demands demands;                  // what we and our child have to be
  std::vector<std::string> environment;  // the child's whole environment, "NAME=value"
  std::string directory = "/";           // the child's working directory
  sys::ResourceLimits child_limits;      // of the child, beside ours

  // Files whose change is worth a kChanged: absolute names.
  std::vector<std::string> watched;

  // The worker's: descriptors 4 and 5, 6, ... of the child; the life pipe comes behind the last listener. A hook has
  // its listeners from 3 on, with LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES as sd_listen_fds(3) expects them.
  sys::Fd spool;
  std::vector<sys::Fd> listeners;
  // A hook's: the files of its groups (cgroup.procs), which its child joins.
  std::vector<sys::Fd> group;
  sys::Fd memory_kills;  // and where the kernel counts whom it killed in there
  // The keyholder's: descriptor 4 of the child, a sealed memfd (daemon/sys/key_files.h); the life pipe is 5.
  sys::Fd keys;
};

// Serves until the supervisor is gone; returns the exit status. 76 (EX_PROTOCOL): somebody said on the control socket
// what no supervisor says (order.h). 78 (EX_CONFIG): it was given a privilege, and refused.
int run(Plan plan);

}  // namespace hooksmtpd::keeper
