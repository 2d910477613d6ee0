#include "daemon/worker/start_stamp.h"

#include <cstdint>
#include <string_view>

namespace hooksmtpd::worker {

std::string start_stamp(std::chrono::system_clock::time_point now, unsigned chance) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  constexpr unsigned kChances = 36 * 36;
  const auto time = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  auto number = static_cast<std::uint64_t>(time) * kChances + chance % kChances;
  std::string stamp;
  for (; number > 0; number /= kDigits.size()) stamp.insert(stamp.begin(), kDigits[number % kDigits.size()]);
  return stamp;
}

}  // namespace hooksmtpd::worker
