// Whether the kernel has ended processes since a group used up its memory.

#pragma once

#include <cstdint>

#include "daemon/sys/fd.h"

namespace hooksmtpd::keeper {

// How many processes of the group it has killed so far: the line "oom_kill 3" of memory.events (version 2) or
// memory.oom_control (version 1). 0 where `file` is invalid, or has no such line.
std::uint64_t memory_kills(const sys::Fd& file);

}  // namespace hooksmtpd::keeper
