#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "daemon/sys/log.h"

using hooksmtpd::sys::quoted;

TEST_CASE("text from outside is escaped") {
  struct Case {
    std::string_view text, shown;
  };
  const std::vector<Case> cases{
      {"", R"("")"},
      {"plain text", R"("plain text")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"a\r\nb\tc", R"("a\r\nb\tc")"},
      {{"\0\x01\x1f\x7f", 4}, R"("\x00\x01\x1f\x7f")"},
      {"\x1b[2J", R"("\x1b[2J")"},  // clears a terminal
      {"\xc2\x9b"
       "2J",
       R"("\xc2\x9b2J")"},  // CSI as one C1 character
      {"gr\xc3\xbc\xc3\x9f\x65", "\"gr\xc3\xbc\xc3\x9f\x65\""},
      {"\xf0\x9f\x93\xac", "\"\xf0\x9f\x93\xac\""},
      {"\xe2\x80\xae"
       "abc",
       R"("\xe2\x80\xaeabc")"},  // turns the reading direction
      {"\xff\xfe", R"("\xff\xfe")"},
      {"\xc0\xaf", R"("\xc0\xaf")"},                  // overlong
      {"\xed\xa0\x80", R"("\xed\xa0\x80")"},          // a surrogate
      {"\xf4\x90\x80\x80", R"("\xf4\x90\x80\x80")"},  // beyond U+10FFFF
      {"\xe2\x82", R"("\xe2\x82")"},                  // cut short
  };
  for (const auto& [text, shown] : cases) CHECK(quoted(text) == shown);
}

TEST_CASE("long text is cut at 256 octets, never inside a character") {
  CHECK(quoted(std::string(256, 'a')) == "\"" + std::string(256, 'a') + "\"");
  CHECK(quoted(std::string(257, 'a')) == "\"" + std::string(256, 'a') + "\"...");
  CHECK(quoted(std::string(255, 'a') + "\xc3\xbc") == "\"" + std::string(255, 'a') + "\"...");
}

TEST_CASE("no octet gets out that a terminal would act upon") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second), 'x'};
      for (const char c : quoted(text)) {
        const auto octet = static_cast<unsigned char>(c);
        REQUIRE_MESSAGE((octet >= 0x20 && octet != 0x7f), first << " " << second);
      }
    }
  }
}
