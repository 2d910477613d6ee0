#include "daemon/worker/start_stamp.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace hooksmtpd::worker {
namespace {

using namespace std::chrono_literals;

TEST_CASE("two workers of one second have different stamps, whatever the chance") {
  const auto now = std::chrono::system_clock::time_point(1'700'000'000s);
  for (const unsigned chance : {0U, 1295U, 1296U, ~0U})
    CHECK(start_stamp(now, chance) != start_stamp(now + 1ms, chance));
  CHECK(start_stamp(now, 1295) != start_stamp(now + 1ms, 0));
  CHECK(start_stamp(now, 1) != start_stamp(now, 2));
}

TEST_CASE("a stamp is small letters and digits, and a later one sorts behind") {
  const auto now = std::chrono::system_clock::time_point(1'700'000'000s);
  const std::string stamp = start_stamp(now, 7);
  CHECK(stamp.size() == 10);
  CHECK(std::ranges::all_of(stamp, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); }));
  CHECK(stamp < start_stamp(now + 1ms, 0));
  CHECK(stamp < start_stamp(now + 24h * 365 * 30, 0));
}

}  // namespace
}  // namespace hooksmtpd::worker
