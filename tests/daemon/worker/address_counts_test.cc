#include "daemon/worker/address_counts.h"

#include <doctest/doctest.h>

using hooksmtpd::worker::AddressCounts;

TEST_CASE("an address has so many places and no more, and gets them back") {
  AddressCounts counts;
  auto one = counts.take("192.0.2.1", 2);
  auto two = counts.take("192.0.2.1", 2);
  REQUIRE(one);
  REQUIRE(two);
  CHECK_FALSE(counts.take("192.0.2.1", 2));
  CHECK(counts.take("192.0.2.2", 2));
  one.reset();
  CHECK(counts.take("192.0.2.1", 2));
}

TEST_CASE("an address without connections takes no memory") {
  AddressCounts counts;
  CHECK_FALSE(counts.take("192.0.2.1", 0));
  {
    AddressCounts::Place place = *counts.take("192.0.2.1", 1);
    AddressCounts::Place moved = std::move(place);
    CHECK(counts.addresses() == 1);
  }
  CHECK(counts.addresses() == 0);
}
