#include "proto/smtp/xtext.h"

#include <doctest/doctest.h>

using namespace hooksmtpd::smtp;

TEST_CASE("xtext is read strictly (RFC 3461 §4)") {
  CHECK(decode_xtext("") == "");
  CHECK(decode_xtext("abc!~") == "abc!~");
  CHECK(decode_xtext("a+3Db+2Bc") == "a=b+c");
  CHECK(decode_xtext("+00+FF") == std::string("\0\xff", 2));
  for (const char* text : {"+", "a+3", "+3d", "+G0", "+ 0", "a=b", "a b", "a\tb", "\xc3\xbc", "\x7f"}) {
    CAPTURE(text);
    CHECK(decode_xtext(text) == std::nullopt);
  }
}

TEST_CASE("what is written as xtext is read again") {
  CHECK(encode_xtext("a=b c+d") == "a+3Db+20c+2Bd");
  std::string every;
  for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
  CHECK(decode_xtext(encode_xtext(every)) == every);
}
