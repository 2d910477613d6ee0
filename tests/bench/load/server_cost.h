// What a server's processes have cost so far, from /proc and from a control group.

#pragma once

#include <cstdint>

#include "tests/bench/load/options.h"

namespace hooksmtpd::bench {

// Nanoseconds of user and system time of the control group, which also has those that left the tree; without one, of
// the process tree: every thread that lives, and whole clock ticks of children that were reaped.
std::uint64_t cpu_time(const Options& options);

struct Memory {
  std::uint64_t pss_kib = 0;  // proportional set size, over the whole tree
  std::uint64_t processes = 0;
};
Memory memory(const Options& options);

// Waits until the CPU time stands still for 0.3 s, at most 10 s: queues drain after the last reply.
void wait_until_quiet(const Options& options);

}  // namespace hooksmtpd::bench
