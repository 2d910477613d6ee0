#include "daemon/worker/latency.h"

#include <doctest/doctest.h>

using hooksmtpd::worker::Latency;
using namespace std::chrono_literals;

TEST_CASE("without any answer there is no latency") {
  CHECK(Latency().count() == 0);
  CHECK(Latency().percentile(99) == 0us);
}

TEST_CASE("the first microseconds are counted one by one") {
  Latency latency;
  for (const auto took : {1us, 2us, 3us, 4us}) latency.add(took);
  CHECK(latency.percentile(50) == 2us);
  CHECK(latency.percentile(99) == 4us);
}

TEST_CASE("a percentile is at most an eighth too high, from a microsecond to an hour, and never too low") {
  for (std::int64_t micro = 1; micro < 3'600'000'000; micro = micro * 9 / 8 + 1) {
    CAPTURE(micro);
    Latency latency;
    latency.add(std::chrono::microseconds(micro));
    CHECK(latency.percentile(50).count() >= micro);
    CHECK(latency.percentile(50).count() <= micro + micro / 8);
  }
}

TEST_CASE("one slow answer in two hundred does not move the 99th percentile, three do") {
  Latency latency;
  for (int i = 0; i < 199; ++i) latency.add(1ms);
  latency.add(1s);
  CHECK(latency.percentile(50) < 1200us);
  CHECK(latency.percentile(99) < 1200us);
  latency.add(1s);
  latency.add(1s);
  CHECK(latency.percentile(99) >= 1s);
  CHECK(latency.count() == 202);
}

TEST_CASE("what took no time or all of it has its place") {
  Latency latency;
  latency.add(-1ns);
  latency.add(24h);
  CHECK(latency.percentile(50) == 0us);
  CHECK(latency.percentile(100) >= 1h);
}
