#include "proto/mail/utf8.h"

#include <doctest/doctest.h>

namespace hooksmtpd::mail {
namespace {

TEST_CASE("UTF-8 is what RFC 3629 says, and nothing else") {
  for (const char* text : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                           "a\xc3\xbc"
                           "b"}) {
    CAPTURE(std::string_view(text).size());
    CHECK(is_utf8(text));
  }
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
                           "\xc2"
                           "a",
                           "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xff", "abc\xc3"}) {
    CAPTURE(std::string_view(text).size());
    CHECK(!is_utf8(text));
  }
}

TEST_CASE("text in a line has no control characters of any kind (RFC 6531 §3.3)") {
  for (const char* text : {"", "ann", "\xc3\xbc", "\xc2\xa0", "\xe2\x80\xa7", "\xf0\x9f\x98\x80"})
    CHECK(is_utf8_text(text));
  for (const char* text : {"\n", "a\x7f", "\xc2\x80", "\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xff"})
    CHECK(!is_utf8_text(text));
}

}  // namespace
}  // namespace hooksmtpd::mail
