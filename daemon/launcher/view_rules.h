// What a process sees of the file system, as Landlock rules: for who sits in the jail a second wall behind the mounts,
// for who cannot have one (a plain user without user namespaces) the only one.

#pragma once

#include "daemon/launcher/jail.h"
#include "daemon/sys/landlock.h"

namespace hooksmtpd::launcher {

// Files of the jail's own stand for those of the same name outside. No TCP, no signal and no abstract socket beyond the
// process's own. What is not there has no rule.
sys::LandlockRules rules_of(const Jail& jail);

}  // namespace hooksmtpd::launcher
