// Dates as mail writes them (RFC 5322 §3.3).

#pragma once

#include <chrono>
#include <string>

namespace hooksmtpd::smtp {

// A moment and how far local time was ahead of UTC then. Whoever has a clock fills it in.
struct Now {
  std::chrono::sys_seconds time;
  std::chrono::minutes utc_offset{0};
};

// "Sun, 22 Nov 2026 19:08:41 +0100"
std::string format_date(const Now& now);

}  // namespace hooksmtpd::smtp
