// The line that the worker and the keyholder cross before they read their first byte from outside. Whatever looks at
// the machine happens above it.
//
// Root, uid and namespaces were given to them by their keeper's jail (daemon/launcher/jail.h); what is left is what a
// process has to do for itself after exec.

#pragma once

#include <string>
#include <string_view>

#include "daemon/sys/landlock.h"
#include "daemon/sys/process_report.h"
#include "daemon/sys/rlimits.h"
#include "daemon/sys/syscall_filter.h"

namespace hooksmtpd::sys {

// Which layers a process is to put in force for itself: those that the launcher found on this machine.
struct OwnLayers {
  bool filter = false;
  bool landlock = false;
  bool fixed_code = false;  // memory that was ever writable is never executable (PR_SET_MDWE, Linux 6.3)

  friend bool operator==(const OwnLayers&, const OwnLayers&) = default;
};

// As an argument of a program: "filter,landlock,fixed-code"; none: "-". Throws std::invalid_argument.
std::string to_string(OwnLayers layers);
OwnLayers parse_own_layers(std::string_view text);

struct OwnSandbox {
  ResourceLimits limits;
  LandlockRules landlock;
  SyscallFilter filter;
};

// Returns what the process is from then on. Throws std::runtime_error where a privilege is left, std::system_error
// where the kernel refuses.
ProcessReport enter_sandbox(const OwnSandbox& sandbox, OwnLayers layers);

// Not only here, but in every process of ours that executes nothing.
bool knows_fixed_code();
void fix_code();

}  // namespace hooksmtpd::sys
