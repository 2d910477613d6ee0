// How text from outside is read and shown: UTF-8, base64, escapes.

#include <doctest/doctest.h>

#include "proto/hook/json_writer.h"
#include "proto/hook/printable.h"
#include "proto/hook/utf8.h"

namespace hooksmtpd::hook {
namespace {

TEST_CASE("UTF-8 is what RFC 3629 says, and nothing else") {
  for (const char* text : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                           "a\xc3\xbc"
                           "b"}) {
    CAPTURE(printable(text));
    CHECK(is_utf8(text));
  }
  for (const char* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
                           "\xc2"
                           "a",
                           "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xff", "abc\xc3"}) {
    CAPTURE(printable(text));
    CHECK(!is_utf8(text));
  }
}

std::string written(std::string_view value) {
  std::string out;
  JsonWriter(out).text("k", value);
  return out;
}

TEST_CASE("text is written in ASCII, and its exact bytes beside it where that says too little") {
  CHECK(written("") == R"("k":"")");
  CHECK(written("a\"b\\c/d") == R"("k":"a\"b\\c/d")");
  CHECK(written(std::string_view("\0\t\n\x1f\x7f", 5)) == R"("k":"\u0000\u0009\u000a\u001f\u007f")");
  CHECK(written("\xc3\xbc\xef\xbf\xbd\xf0\x9f\x98\x80") == R"("k":"\u00fc\ufffd\ud83d\ude00")");
  CHECK(written("\xff") == R"("k_b64":"/w==","k":"\ufffd")");
  CHECK(written("\xff"
                "a") == R"("k_b64":"/2E=","k":"\ufffda")");
  CHECK(written("\xff"
                "ab") == R"("k_b64":"/2Fi","k":"\ufffdab")");
  CHECK(written("\xff"
                "abc") == R"("k_b64":"/2FiYw==","k":"\ufffdabc")");
  CHECK(written("\xe2\x82") == R"("k_b64":"4oI=","k":"\ufffd\ufffd")");
}

TEST_CASE("printable text cannot do anything to a terminal or a log") {
  CHECK(printable("a \"b\" \\ c") == R"(a \"b\" \\ c)");
  CHECK(printable("\x1b[2J\r\n\x7f\xc3\xbc") == R"(\x1b[2J\x0d\x0a\x7f\xc3\xbc)");
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("abc", 3) == "abc");
}

}  // namespace
}  // namespace hooksmtpd::hook
