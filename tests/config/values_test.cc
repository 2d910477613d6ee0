// How single values are spelt, and what is suggested for a word that nobody knows.

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.h"
#include "config/spelling.h"
#include "config/suggest.h"

namespace hooksmtpd::config {
namespace {

using std::chrono::hours;

template <class T>
std::string shown(const Parsed<T>& value, std::string (*print)(T)) {
  return value ? print(*value) : value.error();
}

TEST_CASE("a size is octets or a number and a letter, and is printed in the largest letter") {
  struct Case {
    std::string_view text, result;
  };
  const std::vector<Case> cases{
      {"1", "1"},
      {"1024", "1K"},
      {"1025", "1025"},
      {"64K", "64K"},
      {"1024K", "1M"},
      {"25M", "25M"},
      {"26214400", "25M"},
      {"25MiB", "25M"},
      {"1G", "1G"},
      {"0", "must be from 1 to 1T, not 0"},
      {"2T", "must be from 1 to 1T, not 2T"},
      {"5iB", R"(must be a size such as "25M", "64K", "1G" or a number of octets, not "5iB")"},
      {"25m", R"(must be a size such as "25M", "64K", "1G" or a number of octets, not "25m")"},
      {" 25M", R"(must be a size such as "25M", "64K", "1G" or a number of octets, not " 25M")"},
      {"0x10", R"(must be a size such as "25M", "64K", "1G" or a number of octets, not "0x10")"},
      {"18446744073709551616",
       R"(must be a size such as "25M", "64K", "1G" or a number of octets, not "18446744073709551616")"},
  };
  for (const auto& [text, result] : cases) CHECK_EQ(shown(parse_size(text, 1, 1ull << 40), size_text), result);
}

TEST_CASE("a duration is a whole number with its unit, and is printed in the largest unit") {
  struct Case {
    std::string_view text, result;
  };
  const std::vector<Case> cases{
      {"1ms", "1ms"},
      {"1500ms", "1500ms"},
      {"2000ms", "2s"},
      {"5s", "5s"},
      {"120s", "2m"},
      {"90m", "90m"},
      {"60m", "1h"},
      {"0s", "0s"},
      {"0ms", "0s"},
      {"3h", "must be from 0s to 2h, not 3h"},
      {"5", R"(must be a duration with its unit, such as "5s", not "5")"},
      {"1.5s", R"(must be a duration such as "500ms", "5s", "2m" or "1h", not "1.5s")"},
      {"-5s", R"(must be a duration such as "500ms", "5s", "2m" or "1h", not "-5s")"},
      {"5 s", R"(must be a duration such as "500ms", "5s", "2m" or "1h", not "5 s")"},
      {"99999999999999999999s",
       R"(must be a duration such as "500ms", "5s", "2m" or "1h", not "99999999999999999999s")"},
  };
  for (const auto& [text, result] : cases) {
    CHECK_EQ(shown(parse_duration(text, Milliseconds(0), hours(2)), duration_text), result);
  }
}

TEST_CASE("an address is a host and a port, an IPv6 host in brackets") {
  struct Case {
    std::string_view text, host;
    std::uint16_t port;
    bool loopback;
  };
  const std::vector<Case> cases{
      {"127.0.0.1:25", "127.0.0.1", 25, true},
      {"127.9.9.9:0", "127.9.9.9", 0, true},
      {"0.0.0.0:25", "0.0.0.0", 25, false},
      {"192.0.2.1:65535", "192.0.2.1", 65535, false},
      {"[::1]:25", "::1", 25, true},
      {"[::]:25", "::", 25, false},
      {"[fe80::1%eth0]:25", "fe80::1%eth0", 25, false},
      {"localhost:25", "localhost", 25, true},
      {"mail.localhost:25", "mail.localhost", 25, true},
      {"mail.example.test:2525", "mail.example.test", 2525, false},
      {"notlocalhost:25", "notlocalhost", 25, false},
  };
  for (const auto& [text, host, port, loopback] : cases) {
    const auto address = parse_address(text);
    REQUIRE_MESSAGE(address, text);
    CHECK_EQ(address->host, host);
    CHECK_EQ(address->port, port);
    CHECK_EQ(is_loopback(*address), loopback);
    CHECK_EQ(to_string(*address), text);
  }
  for (const std::string_view text :
       {"", ":", "a", "[::1", "[::1]x:25", "[fe80::1%]:25", "a b:25", "a:25 ", "a:+1", "a:-1"}) {
    CHECK_MESSAGE(!parse_address(text), text);
  }
}

TEST_CASE("a host name is labels and dots, an address stands in brackets") {
  for (const std::string_view good : {"a", "mail.example.test", "1and1.test", "[127.0.0.1]", "[IPv6:::1]"}) {
    CHECK_MESSAGE(is_hostname(good), good);
  }
  for (const std::string_view bad :
       {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "127.0.0.1", "[::1]", "[]", "a b"}) {
    CHECK_MESSAGE(!is_hostname(bad), bad);
  }
  CHECK(is_hostname(std::string(63, 'a')));
  CHECK(!is_hostname(std::string(64, 'a')));
}

TEST_CASE("the nearest word is suggested, if it is near") {
  constexpr std::array<std::string_view, 5> kKnown{"banner", "hostname", "limits", "timeouts", "warn"};
  struct Case {
    std::string_view word;
    std::optional<std::string_view> near;
  };
  const std::vector<Case> cases{
      {"bannner", "banner"},
      {"baner", "banner"},
      {"bnaner", "banner"},
      {"BANNER", {}},
      {"limit", "limits"},
      {"warning", "warn"},
      {"time", "timeouts"},
      {"x", {}},
      {"", {}},
      {"colour", {}},
      {"hots_name", "hostname"},
  };
  for (const auto& [word, near] : cases) {
    CHECK_MESSAGE(nearest(word, kKnown) == near, word);
  }
  CHECK_EQ(did_you_mean("x", kKnown), " — known: banner, hostname, limits, timeouts, warn");
  CHECK_EQ(nearest(std::string(10'000, 'x'), kKnown), std::nullopt);
}

TEST_CASE("the distance counts letters left out, put in, replaced and swapped") {
  CHECK_EQ(edit_distance("", ""), 0);
  CHECK_EQ(edit_distance("abc", ""), 3);
  CHECK_EQ(edit_distance("", "abc"), 3);
  CHECK_EQ(edit_distance("abc", "abc"), 0);
  CHECK_EQ(edit_distance("abc", "acb"), 1);
  CHECK_EQ(edit_distance("abc", "axc"), 1);
  CHECK_EQ(edit_distance("kitten", "sitting"), 3);
}

TEST_CASE("a quotation is one clean line, cut between two characters") {
  CHECK_EQ(in_quotes("a\"b\\c\n\x7f"), R"("a\"b\\c\x0a\x7f")");
  CHECK_EQ(in_quotes(std::string(80, 'a')), '"' + std::string(80, 'a') + '"');
  CHECK_EQ(in_quotes(std::string(81, 'a')), '"' + std::string(80, 'a') + "…\"");
  CHECK_EQ(in_quotes(std::string(79, 'a') + "üb"), '"' + std::string(79, 'a') + "…\"");
}

}  // namespace
}  // namespace hooksmtpd::config
