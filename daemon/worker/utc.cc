#include "daemon/worker/utc.h"

#include <fmt/compile.h>
#include <fmt/format.h>

namespace hooksmtpd::worker {

std::string utc(std::chrono::system_clock::time_point when) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(when);
  const auto midnight = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss time(now - midnight);
  return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"), static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

// Within a millisecond it is asked more than once where there is much to do.
std::string utc_now() {
  thread_local std::chrono::sys_time<std::chrono::milliseconds> last{};
  thread_local std::string text = utc(last);
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  if (now != last) text = utc(last = now);
  return text;
}

}  // namespace hooksmtpd::worker
