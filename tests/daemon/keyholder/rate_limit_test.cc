#include "daemon/keyholder/rate_limit.h"

#include <doctest/doctest.h>

#include <chrono>

using hooksmtpd::keyholder::RateLimit;
using namespace std::chrono_literals;

TEST_CASE("a burst at once, then so many a second; what is refused is not owed") {
  const auto start = RateLimit::Clock::now();
  RateLimit limit(500, 800, start);
  const auto taken = [&](RateLimit::Clock::time_point now) {
    int count = 0;
    for (int i = 0; i < 2000; ++i) count += limit.take(now) ? 1 : 0;
    return count;
  };
  CHECK(taken(start) == 800);
  CHECK(taken(start) == 0);
  CHECK(taken(start + 100ms) == 50);
  CHECK(taken(start + 1100ms) == 500);
  CHECK(taken(start + 1h) == 800);  // rest is saved up so far and no further
}
