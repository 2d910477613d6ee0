// What the kernel says about a process: its ids, capabilities and namespaces (promise P1).

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/sys/frame.h"

namespace hooksmtpd::sys {

// From the text of /proc/PID/status. The namespaces are not in there: they stay 0. Empty: a line that we need is
// missing or malformed.
std::optional<ProcessReport> parse_status(std::string_view text);

// Of this process, namespaces included. Throws std::runtime_error where /proc does not tell.
ProcessReport report_self();

// Of another one, from its /proc/PID/status under the directory `proc`. Its namespaces are nobody's business without
// CAP_SYS_PTRACE: they stay 0.
std::optional<ProcessReport> report_of(int proc, int pid);

// The first thing that is wrong with a process that must have no privilege, for people; empty: nothing is. The
// bounding set of a plain user is not empty (he may not empty it), and no_new_privs makes it harmless.
enum class Bounding { kMustBeEmpty, kMayBeFull };
std::string privilege_left(const ProcessReport& report, Bounding bounding);

}  // namespace hooksmtpd::sys
