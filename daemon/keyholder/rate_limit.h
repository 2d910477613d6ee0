// A token bucket: so many a second, and `burst` at once after a rest.

#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace hooksmtpd::keyholder {

class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  RateLimit(double per_second, double burst, Clock::time_point now)
      : per_second_(per_second), burst_(burst), tokens_(burst), last_(now) {}

  // False: not now. Nothing is owed: what was refused does not count.
  bool take(Clock::time_point now) {
    const std::chrono::duration<double> passed = now - std::exchange(last_, now);
    tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double per_second_, burst_;
  double tokens_;
  Clock::time_point last_;
};

}  // namespace hooksmtpd::keyholder
