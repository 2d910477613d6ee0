#include "daemon/worker/utc.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace hooksmtpd::worker {

std::string utc(std::chrono::system_clock::time_point when) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(when);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (now - seconds).count());
}

std::string utc_now() { return utc(std::chrono::system_clock::now()); }

}  // namespace hooksmtpd::worker
