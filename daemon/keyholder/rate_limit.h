// A token bucket: so many a second, and as many at once after a second of rest.

#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace hooksmtpd::keyholder {

class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  RateLimit(double per_second, Clock::time_point now) : per_second_(per_second), tokens_(per_second), last_(now) {}

  // False: not now. Nothing is owed: what was refused does not count.
  bool take(Clock::time_point now) {
    const std::chrono::duration<double> passed = now - std::exchange(last_, now);
    tokens_ = std::min(per_second_, tokens_ + passed.count() * per_second_);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double per_second_;
  double tokens_;
  Clock::time_point last_;
};

}  // namespace hooksmtpd::keyholder
