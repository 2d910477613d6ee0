#include "daemon/tls/ticket_keys.h"

#include <doctest/doctest.h>

#include <chrono>

using hooksmtpd::tls::TicketKeys;
using namespace std::chrono_literals;

TEST_CASE("a ticket key seals for two hours and opens for two more") {
  const auto start = TicketKeys::Clock::now();
  TicketKeys keys(start);
  const auto name = keys.current(start).name;
  CHECK(keys.current(start + 119min).name == name);
  const auto* const found = keys.find(name.data(), start + 121min);
  REQUIRE(found != nullptr);
  CHECK(found->name == name);
  CHECK(keys.current(start + 121min).name != name);
  CHECK(keys.find(name.data(), start + 240min) != nullptr);
  CHECK(keys.find(name.data(), start + 242min) == nullptr);
}

TEST_CASE("after a long rest the old key is gone at once") {
  const auto start = TicketKeys::Clock::now();
  TicketKeys keys(start);
  const auto name = keys.current(start).name;
  CHECK(keys.find(name.data(), start + 24h) == nullptr);
}

TEST_CASE("two processes, or two configurations, have different keys") {
  TicketKeys one;
  TicketKeys two;
  const auto now = TicketKeys::Clock::now();
  CHECK(one.current(now).name != two.current(now).name);
  CHECK(one.current(now).cipher != two.current(now).cipher);
}
