// What this process may still do once it is the supervisor: read and write what is open, answer the control socket,
// read the configuration again. No program, no process, no socket of its own.

#pragma once

#include "daemon/launcher/jail.h"
#include "daemon/sys/sandbox.h"

namespace hooksmtpd::launcher {

// `root` is what it sees; `proc` an open directory in which it looks after the others, or -1. For good. Throws
// std::system_error.
void enter_supervisor_sandbox(const Jail& root, int proc, sys::OwnLayers layers);

}  // namespace hooksmtpd::launcher
