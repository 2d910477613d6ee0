#include "daemon/keyholder/rate_limit.h"

#include <doctest/doctest.h>

#include <chrono>

using hooksmtpd::keyholder::RateLimit;
using namespace std::chrono_literals;

TEST_CASE("500 at once, then 500 a second; what is refused is not owed") {
  const auto start = RateLimit::Clock::now();
  RateLimit limit(500, start);
  const auto taken = [&](RateLimit::Clock::time_point now) {
    int count = 0;
    for (int i = 0; i < 2000; ++i) count += limit.take(now) ? 1 : 0;
    return count;
  };
  CHECK(taken(start) == 500);
  CHECK(taken(start) == 0);
  CHECK(taken(start + 100ms) == 50);
  CHECK(taken(start + 1100ms) == 500);
  CHECK(taken(start + 1h) == 500);  // rest is not saved up
}
