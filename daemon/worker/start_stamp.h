// What sessions, messages and the names of their files have from the start of their worker, which no other start has.

#pragma once

#include <chrono>
#include <string>

namespace hooksmtpd::worker {

// Small letters and digits: the millisecond, and some of `chance` in case that a clock is set back. A worker that dies
// is started anew within the same second.
std::string start_stamp(std::chrono::system_clock::time_point now, unsigned chance);

}  // namespace hooksmtpd::worker
