#include "daemon/launcher/backoff.h"

#include <doctest/doctest.h>

#include <vector>

namespace hooksmtpd::launcher {
namespace {

using Milliseconds = Backoff::Milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a process that dies at once waits 0, 0.1, 0.2 … s, and is given up at its tenth failure") {
  Backoff backoff;
  Backoff::Time now{};
  std::vector<long> waits;
  for (int i = 0; i < 12; ++i) {
    backoff.started(now);
    const Milliseconds wait = backoff.failed(now);
    waits.push_back(wait.count());
    CHECK(backoff.given_up() == (i >= 9));
    now += wait;
  }
  CHECK(waits == std::vector<long>{0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 30000, 30000, 30000});
}

TEST_CASE("failures far apart never give a process up, and never make it wait for more than 30 s") {
  Backoff backoff;
  Backoff::Time now{};
  Milliseconds longest{0};
  for (int i = 0; i < 100; ++i) {
    backoff.started(now);
    now += seconds(40);
    const Milliseconds wait = backoff.failed(now);
    longest = std::max(longest, wait);
    now += wait;
  }
  CHECK_FALSE(backoff.given_up());
  CHECK(longest == seconds(30));
}

TEST_CASE("a minute of health makes good for everything") {
  Backoff backoff;
  Backoff::Time now{};
  for (int i = 0; i < 10; ++i) backoff.failed(now);
  REQUIRE(backoff.given_up());

  backoff.started(now);
  now += seconds(59);
  CHECK(backoff.failed(now) == seconds(30));
  CHECK(backoff.given_up());

  backoff.started(now);
  now += minutes(1);
  CHECK(backoff.failed(now) == Milliseconds(0));
  CHECK_FALSE(backoff.given_up());
}

TEST_CASE("a process that could not even be executed has no health") {
  Backoff backoff;
  Backoff::Time now{};
  backoff.failed(now);
  now += minutes(10);
  CHECK(backoff.failed(now) == Milliseconds(100));
}

}  // namespace
}  // namespace hooksmtpd::launcher
