// How text from outside is read and shown: base64, escapes.

#include <doctest/doctest.h>

#include "proto/hook/json_writer.h"
#include "proto/hook/printable.h"

namespace hooksmtpd::hook {
namespace {

std::string written(std::string_view value) {
  std::string out;
  JsonWriter(out).text("k", value);
  return out;
}

TEST_CASE("text is written in ASCII, and its exact bytes beside it where that says too little") {
  CHECK(written("") == R"("k":"")");
  CHECK(written("a\"b\\c/d") == R"("k":"a\"b\\c/d")");
  CHECK(written(std::string_view("\0\t\n\x1f\x7f", 5)) == R"("k":"\u0000\t\n\u001f\u007f")");
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

TEST_CASE("a text in pieces is as one") {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.begin_text("k");
  for (const std::string_view piece : {"", "a:", "\"", "\xc3\xbc", ""}) writer.more_text(piece);
  writer.end_text();
  writer.begin_text("empty");
  writer.end_text();
  writer.boolean("last", true);
  writer.end_object();
  CHECK(out == R"({"k":"a:\"\u00fc","empty":"","last":true})");
}

TEST_CASE("printable text cannot do anything to a terminal or a log") {
  CHECK(printable("a \"b\" \\ c") == R"(a \"b\" \\ c)");
  CHECK(printable("\x1b[2J\r\n\x7f\xc3\xbc") == R"(\x1b[2J\x0d\x0a\x7f\xc3\xbc)");
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("abc", 3) == "abc");
}

}  // namespace
}  // namespace hooksmtpd::hook
