// What the kernel says about a process: its ids, capabilities and namespaces (promise P1).

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"

namespace hooksmtpd::sys {

// From the text of /proc/PID/status. The namespaces are not in there: they stay 0. Empty: a line that we need is
// missing or malformed.
std::optional<ProcessReport> parse_status(std::string_view text);

// Of this process, namespaces included. It is opened while files can be, and read when nothing can be opened any more.
class SelfReport {
 public:
  SelfReport();  // throws std::runtime_error where /proc does not tell
  // As it is now. Throws std::runtime_error.
  ProcessReport read() const;

 private:
  Fd status_;
  std::array<std::uint64_t, 5> namespaces_{};
};

// Of another one, from its /proc/PID/status under the directory `proc`. Its namespaces are nobody's business without
// CAP_SYS_PTRACE: they stay 0.
std::optional<ProcessReport> report_of(int proc, int pid);

// What is asked of a process beside that no id is 0, no capability is left and no_new_privs is set.
struct Demands {
  // The bounding set is empty, and there are no groups. A plain user cannot have that; no_new_privs makes it harmless.
  bool empty_bounding_set = true;
  bool filter = true;  // system calls are filtered

  friend bool operator==(const Demands&, const Demands&) = default;
};

// The first thing that is wrong with a process that must have no privilege, for people; empty: nothing is.
std::string privilege_left(const ProcessReport& report, Demands demands);

}  // namespace hooksmtpd::sys
