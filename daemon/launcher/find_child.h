// Looks for a keeper's child in the /proc of the supervisor, so that what it says about itself need not be believed.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace hooksmtpd::launcher {

// The child of `keeper` that has the number `inside` in its own pid namespace; the number that it has in ours. Empty:
// it is gone, or this kernel does not list children (CONFIG_PROC_CHILDREN).
std::optional<pid_t> find_child(int proc, pid_t keeper, std::int32_t inside);

}  // namespace hooksmtpd::launcher
