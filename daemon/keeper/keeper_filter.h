// The system calls of a keeper and of whatever it starts: what nobody needs who runs a program or is one.
//
// A list of what is refused, because a hook may be a program in any language; everything else is the business of its
// namespaces, its user and Landlock. Our own programs put a list of what is allowed on top (daemon/worker/sandbox.h,
// daemon/keyholder/sandbox.h).

#pragma once

#include <sys/types.h>

#include <cstdint>

#include "daemon/sys/syscall_filter.h"

namespace hooksmtpd::keeper {

// Whom a process of the keeper's could reach by a number or a name: who is in its jail, or, where there is none, every
// process and every socket of its user.
enum class Reach : std::uint8_t { kJail, kMachine };

// `keeper` is the pid of who installs it, as it sees itself: what the keeper starts has its user, and shall neither
// limit it nor slow it down. Without a jail that goes for all processes, and there are no sockets in files: Landlock
// knows nothing of them, and our control socket takes orders from any process of its user. `connects` false: no socket
// is connected to anything.
sys::SyscallFilter keeper_filter(pid_t keeper, Reach reach, bool connects);

}  // namespace hooksmtpd::keeper
