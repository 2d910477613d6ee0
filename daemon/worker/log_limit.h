// How many lines of somebody else's may go into the log: so many a second, and then a count of the rest.

#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

namespace hooksmtpd::worker {

class LogLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::uint32_t kLinesPerSecond = 100;

  // Whether one more line may be written now. If not, it is counted.
  bool allow(TimePoint now) {
    if (now - begin_ >= std::chrono::seconds(1)) {
      begin_ = now;
      lines_ = 0;
    }
    if (lines_ < kLinesPerSecond) return ++lines_, true;
    ++suppressed_;
    return false;
  }

  // Lines that were not allowed since the last call.
  std::uint64_t take_suppressed() { return std::exchange(suppressed_, 0); }

 private:
  TimePoint begin_{};
  std::uint32_t lines_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace hooksmtpd::worker
