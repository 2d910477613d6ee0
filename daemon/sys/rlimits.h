// What a process may use up at most (setrlimit(2)).

#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <vector>

namespace hooksmtpd::sys {

struct ResourceLimit {
  int resource;         // RLIMIT_CORE and so on
  std::uint64_t value;  // both the limit and what it may be raised to
};
using ResourceLimits = std::vector<ResourceLimit>;

// For good, in this process and those it starts. Where the limit is lower already it stays. Throws std::system_error.
void limit(const ResourceLimits& limits);

}  // namespace hooksmtpd::sys
