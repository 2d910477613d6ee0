// System V's shared memory, semaphores and message queues (sysvipc(7)): they outlive every process that used them, and
// count in the memory of its group for ever.

#pragma once

namespace hooksmtpd::keeper {

// Removes all that there are in this IPC namespace and that are our user's. Where the namespace is shared with others,
// so may be what is removed: only for an own one.
void remove_system_v_objects();

}  // namespace hooksmtpd::keeper
