#include "daemon/worker/address_counts.h"

#include <doctest/doctest.h>

#include <string>

using hooksmtpd::worker::AddressCounts;
using hooksmtpd::worker::counted_as;

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
    CHECK(counts.clients() == 1);
  }
  CHECK(counts.clients() == 0);
}

TEST_CASE("an IPv6 host is counted by its network, and nobody on this machine is") {
  struct Case {
    std::string address, counted;
  };
  for (const auto& [address, counted] : {
           Case{"192.0.2.1", "192.0.2.1"},
           Case{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
           Case{"2001:db8:1:2::1", "2001:db8:1:2::/64"},
           Case{"2001:db8:1:3::1", "2001:db8:1:3::/64"},
           Case{"fe80::1", "fe80::/64"},
           Case{"::ffff:192.0.2.1", "192.0.2.1"},
           Case{"::ffff:c000:201", "192.0.2.1"},
           Case{"::192.0.2.1", "::/64"},
           Case{"127.0.0.1", "nobody"},
           Case{"127.8.9.1", "nobody"},
           Case{"::ffff:127.0.0.1", "nobody"},
           Case{"::1", "nobody"},
           Case{"", "nobody"},
       }) {
    CAPTURE(address);
    CHECK(counted_as(address).value_or("nobody") == counted);
  }
}
