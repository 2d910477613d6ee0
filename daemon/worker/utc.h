// The time of day as JSON tells it.

#pragma once

#include <chrono>
#include <string>

namespace hooksmtpd::worker {

// "2026-11-22T17:20:11.482Z" (RFC 3339).
std::string utc(std::chrono::system_clock::time_point when);
std::string utc_now();

}  // namespace hooksmtpd::worker
