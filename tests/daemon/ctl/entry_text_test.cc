#include "daemon/ctl/entry_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "daemon/ctl/subject.h"
#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl {
namespace {

std::string text(const char* entry) { return entry_text(nlohmann::ordered_json::parse(entry), Colours::kOff); }
std::string line(const char* entry) { return dialogue_line(nlohmann::ordered_json::parse(entry)); }

}  // namespace

TEST_CASE("an entry is one line, which begins with the time and the session") {
  CHECK(text(R"({"time":"2026-11-22T17:20:11.482Z","session":"c7","ms":1,"from":"server","line":"220 mail.test"})") ==
        "17:20:11.482 c7 S: 220 mail.test");
  CHECK(text(R"({"from":"client","octets":1834})") == "C: <1834 octets>");
  CHECK(text(R"({"from":"daemon","what":"request","hook":"policy","instance":1,"event":"helo","request":{"v":1}})") ==
        "H? policy/1 helo {\"v\":1}");
  CHECK(text(R"({"from":"hook","hook":"policy","instance":1,"event":"helo","action":"reject","code":550,"text":"a\nb",
                 "took_ms":3.2,"reply":"{}"})") == "H: policy/1 helo reject 550 a\\nb (3.2 ms): {}");
  CHECK(text(R"({"from":"hook","hook":"x","instance":2,"event":"helo","failed":"it ended","took_ms":1})") ==
        "H: x/2 helo failed: it ended (1 ms)");
  CHECK(text(R"({"from":"hook","hook":"x","instance":2,"stderr":"oops"})") == "H! x/2 oops");
  CHECK(text(R"({"from":"daemon","what":"begin","listener":"smtp","client":"192.0.2.7"})") ==
        "-- begin listener=smtp client=192.0.2.7");
  CHECK(text(R"({"from":"daemon","what":"end","reason":"quit"})") == "-- end quit");
  CHECK(text(R"({"from":"daemon","what":"hook","hook":"x","instance":1,"state":"gone","reason":"it ended"})") ==
        "-- hook x/1 gone it ended");
  CHECK(text(R"({"from":"daemon","what":"dropped","count":7})") == "-- 7 entries were dropped: this reads too slowly");
}

TEST_CASE("an entry that lacks everything, or has other types, is shown all the same") {
  for (const char* entry : {"{}", R"({"from":7})", R"({"from":"hook"})", R"({"from":"daemon"})", R"({"from":"client"})",
                            R"({"from":"server","line":{"a":[1]}})", R"({"time":[],"session":{},"from":null})",
                            R"({"from":"daemon","what":"hook","state":7})"}) {
    CAPTURE(entry);
    CHECK_FALSE(text(entry).empty());
    line(entry);
  }
}

TEST_CASE("pattern files compare what client, server and hooks said") {
  CHECK(line(R"({"from":"server","line":"220 x"})") == "S: 220 x");
  CHECK(line(R"({"from":"client","line":"QUIT"})") == "C: QUIT");
  CHECK(line(R"({"from":"client","octets":3})") == "C: <3 octets>");
  CHECK(line(R"({"from":"hook","hook":"p","instance":2,"event":"helo","action":"accept"})") == "H: p helo accept");
  CHECK(line(R"({"from":"hook","hook":"p","instance":2,"event":"helo","failed":"x"})") == "H: p helo failed");
  CHECK(line(R"({"from":"hook","hook":"p","stderr":"x"})").empty());
  CHECK(line(R"({"from":"daemon","what":"begin"})").empty());
}

TEST_CASE("nothing that could move the cursor or turn text about stays as it is") {
  CHECK(shown("plain, Grüße 日本") == "plain, Grüße 日本");
  CHECK(shown("\x1b[2J\r\n\t\x07\x7f") == "\\x1b[2J\\r\\n\\t\\x07\\x7f");
  CHECK(shown(std::string_view("\0", 1)) == "\\x00");
  CHECK(shown("\xc2\x9b") == "\\u009b");
  CHECK(shown("\x9b\xff") == "\\x9b\\xff");
  CHECK(shown("\u202e\u2028\u200b\ufeff\u2066") == "\\u202e\\u2028\\u200b\\ufeff\\u2066");
  CHECK(entry_text({{"from", "client"}, {"line", "\x1b[31m"}}, Colours::kOn).find("\x1b[31m") == std::string::npos);
}

TEST_CASE("a subject is decoded: encoded words (RFC 2047), folding (RFC 5322 §2.2.3), and octets that are neither") {
  CHECK(decoded_subject("hello") == "hello");
  CHECK(decoded_subject("=?utf-8?q?Gr=C3=BC=C3=9Fe?= you") == "Grüße you");
  CHECK(decoded_subject("=?utf-8?b?S8O2?=\r\n =?utf-8?b?bG4=?=") == "Köln");
  CHECK(decoded_subject("one\r\n\ttwo") == "one\ttwo");
  CHECK(decoded_subject("Gr\xc3\xbc\xc3\x9f"
                        "e") == "Grüße");
  CHECK_FALSE(decoded_subject("caf\xe9").empty());
  CHECK(decoded_subject("=?utf-8?q?broken").starts_with("=?utf-8?q?broken"));
  CHECK(decoded_subject("").empty());
}

}  // namespace hooksmtpd::ctl
