// Networks: how they are written, and who is in them.

#include "config/network.h"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

namespace hooksmtpd::config {
namespace {

TEST_CASE("a network is read, and printed in one way") {
  struct Case {
    std::string_view text, printed;
  };
  const std::vector<Case> cases{
      {"127.0.0.0/8", "127.0.0.0/8"},
      {"10.1.2.3", "10.1.2.3"},
      {"10.1.2.3/32", "10.1.2.3"},
      {"10.1.2.0/23", "10.1.2.0/23"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"::/0", "::/0"},
      {"::1", "::1"},
      {"::1/128", "::1"},
      {"2001:DB8::/32", "2001:db8::/32"},
      {"2001:db8:0:8000::/49", "2001:db8:0:8000::/49"},
      {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
      {"::ffff:10.0.0.1", "10.0.0.1"},
  };
  for (const auto& [text, printed] : cases) {
    const auto network = parse_network(text);
    REQUIRE_MESSAGE(network, text);
    CHECK_EQ(to_string(*network), printed);
    CHECK_EQ(*parse_network(printed), *network);
  }
}

TEST_CASE("what is no network is told with the way to write one") {
  struct Case {
    std::string_view text, error;
  };
  const std::vector<Case> cases{
      {"", R"(must hold networks such as "127.0.0.0/8", "::1/128" or "10.1.2.3", not "")"},
      {"localhost", R"(must hold networks such as "127.0.0.0/8", "::1/128" or "10.1.2.3", not "localhost")"},
      {"[::1]", R"(must hold networks such as "127.0.0.0/8", "::1/128" or "10.1.2.3", not "[::1]")"},
      {"127/8", R"(must hold networks such as "127.0.0.0/8", "::1/128" or "10.1.2.3", not "127/8")"},
      {" ::1", R"(must hold networks such as "127.0.0.0/8", "::1/128" or "10.1.2.3", not " ::1")"},
      {"10.0.0.0/255.0.0.0", R"(must have a prefix from 0 to 32 behind the slash: "10.0.0.0/255.0.0.0")"},
      {"10.0.0.0/33", R"(must have a prefix from 0 to 32 behind the slash: "10.0.0.0/33")"},
      {"10.0.0.0/", R"(must have a prefix from 0 to 32 behind the slash: "10.0.0.0/")"},
      {"10.0.0.0/-1", R"(must have a prefix from 0 to 32 behind the slash: "10.0.0.0/-1")"},
      {"::/129", R"(must have a prefix from 0 to 128 behind the slash: "::/129")"},
      {"::ffff:10.0.0.0/129", R"(must have a prefix from 0 to 128 behind the slash: "::ffff:10.0.0.0/129")"},
      {"10.1.2.3/8", R"(has "10.1.2.3/8", which is one address of a network: write "10.0.0.0/8" or "10.1.2.3")"},
      {"127.0.0.1/0", R"(has "127.0.0.1/0", which is one address of a network: write "0.0.0.0/0" or "127.0.0.1")"},
      {"2001:db8::1/64",
       R"(has "2001:db8::1/64", which is one address of a network: write "2001:db8::/64" or "2001:db8::1")"},
  };
  for (const auto& [text, error] : cases) {
    const auto network = parse_network(text);
    REQUIRE_MESSAGE(!network, text);
    CHECK_EQ(network.error(), error);
  }
  CHECK(!parse_network(std::string_view("10.0.0.1\0", 9)));
}

TEST_CASE("an address is in a network, or not") {
  struct Case {
    std::string_view network, ip;
    bool inside;
  };
  const std::vector<Case> cases{
      {"127.0.0.0/8", "127.0.0.1", true},
      {"127.0.0.0/8", "127.255.255.255", true},
      {"127.0.0.0/8", "128.0.0.0", false},
      {"10.1.2.0/23", "10.1.3.255", true},
      {"10.1.2.0/23", "10.1.4.0", false},
      {"10.1.2.3", "10.1.2.3", true},
      {"10.1.2.3", "10.1.2.2", false},
      {"10.0.0.0/8", "::ffff:10.9.9.9", true},  // as a socket for both kinds shows it
      {"0.0.0.0/0", "255.255.255.255", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "::1", true},
      {"::/0", "ffff::", true},
      {"::/0", "10.0.0.1", false},
      {"::1", "::1", true},
      {"::1", "127.0.0.1", false},
      {"2001:db8::/33", "2001:db8:7fff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"fe80::/10", "fe80::1%eth0", true},
      {"::/0", "", false},
      {"::/0", "local", false},
      {"::/0", "[::1]", false},
  };
  for (const auto& [network, ip, inside] : cases) {
    CHECK_MESSAGE(contains(*parse_network(network), ip) == inside, network, " ", ip);
  }
}

TEST_CASE("everybody is a network, too") {
  CHECK(is_everybody(*parse_network("0.0.0.0/0")));
  CHECK(is_everybody(*parse_network("::/0")));
  CHECK(!is_everybody(*parse_network("0.0.0.0/1")));
  CHECK(!is_everybody(*parse_network("::/96")));
  CHECK(!is_everybody(*parse_network("::1")));
}

}  // namespace
}  // namespace hooksmtpd::config
