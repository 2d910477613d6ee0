// The system calls of a keeper and of whatever it starts: what nobody needs who runs a program or is one.
//
// A list of what is refused, because a hook may be a program in any language; everything else is the business of its
// namespaces, its user and Landlock. Our own programs put a list of what is allowed on top (daemon/worker/sandbox.h,
// daemon/keyholder/sandbox.h).

#pragma once

#include <sys/types.h>

#include "daemon/sys/syscall_filter.h"

namespace hooksmtpd::keeper {

// `keeper` is the pid of who installs it, as it sees itself: what the keeper starts has its user, and shall neither
// limit it nor slow it down.
sys::SyscallFilter keeper_filter(pid_t keeper);

}  // namespace hooksmtpd::keeper
