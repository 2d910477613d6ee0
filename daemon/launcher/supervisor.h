// The life of the supervisor: what the launcher becomes when it has dropped everything.

#pragma once

#include "daemon/launcher/tree.h"

namespace hooksmtpd::launcher {

// Runs the daemon until it is told to stop; returns the exit status. Called once, after the drop, with no child but the
// keepers. 0: stopped in order. EX_SOFTWARE: the worker cannot run. EX_CONFIG: a process has a privilege left (P1).
int supervise(Tree tree);

}  // namespace hooksmtpd::launcher
