#include "proto/hook/request_line.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace hooksmtpd::hook {
namespace {

std::string message(std::string_view event, std::string_view line) {
  const auto found = find_message(event, line);
  if (!found) return "none";
  static constexpr std::string_view kNames[] = {"path", "text", "base64"};
  return fmt::format("{} | {} {}", found->head, kNames[static_cast<int>(found->body.kind)], found->body.value);
}

TEST_CASE("a message is the last string of its line, and its text makes up no key") {
  CHECK(message("deliver", R"({"v":1,"to":["b@x.test"],"message":{"size":1,"eight_bit":false,"path":"/m"}})") ==
        R"({"v":1,"to":["b@x.test"] | path /m)");
  CHECK(message("deliver", R"({"v":1,"message":{"size":9,"data":"a\r\n,\"message\":{\"path\":\"/etc/passwd\"}}"}})") ==
        R"({"v":1 | text a\r\n,\"message\":{\"path\":\"/etc/passwd\"}})");
  CHECK(message("deliver", R"({"v":1,"message":{"size":0,"data":""}})") == R"({"v":1 | text )");
  CHECK(message("deliver", R"({"v":1,"message":{"size":7,"data_b64":"DQo="}})") == R"({"v":1 | base64 DQo=)");
  CHECK(message("deliver_mime", R"({"v":1,"mime":{"type":"x","message":{"type":"y"}},"message":{"path":"/m"}})") ==
        R"({"v":1,"mime":{"type":"x","message":{"type":"y"}} | path /m)");
  CHECK(message("deliver", R"({"v":1,"message":{"size":9}})") == "none");
  CHECK(message("deliver", R"({"v":1,"message":{"other":"x"}})") == "none");
  CHECK(message("validate_sender", R"({"v":1,"message":{"path":"/m"}})") == "none");
}

TEST_CASE("what a request says of a message is an object without its last string") {
  const auto facts = [](std::string_view line) { return std::string(find_message("deliver", line)->facts) + "}}"; };
  CHECK(facts(R"({"v":1,"message":{"size":9,"data":"a,\"message\":{"}})") == R"({"v":1,"message":{"size":9}})");
  CHECK(facts(R"({"v":1,"message":{"size":9,"added_headers":1,"path":"/m"}})") ==
        R"({"v":1,"message":{"size":9,"added_headers":1}})");
  CHECK(facts(R"({"v":1,"message":{"path":"/m"}})") == R"({"v":1,"message":{}})");
}

TEST_CASE("a dialogue is what no text in it can end") {
  const auto found = find_dialogue(
      R"({"v":1,"counts":{},"dialogue":[{"line":"],\"reason\":"},{"line":",\"dialogue\":["}],"reason":"quit"})");
  REQUIRE(found);
  CHECK(found->facts == R"({"v":1,"counts":{},"reason":"quit"})");
  CHECK(found->dialogue == R"([{"line":"],\"reason\":"},{"line":",\"dialogue\":["}])");
  CHECK(find_dialogue(R"({"v":1,"dialogue":[],"reason":"lost"})")->dialogue == "[]");
  CHECK_FALSE(find_dialogue(R"({"v":1,"counts":{},"reason":"quit"})"));
  CHECK_FALSE(find_dialogue(R"({"v":1,"dialogue":[)"));
}

TEST_CASE("what a JSON string says") {
  CHECK(unescaped(R"(a\r\n\"b\"\\c\/\td)") == "a\r\n\"b\"\\c/\td");
  CHECK(unescaped(R"(\u00e9\ud83d\ude00\u0000.\b\f)") == std::string_view("\xc3\xa9\xf0\x9f\x98\x80\0.\b\f", 10));
  CHECK(unescaped("") == "");
  for (const std::string_view text : {R"(\)", R"(\x)", R"(\ud83d)", R"(a\u00)"}) {
    CAPTURE(text);
    CHECK_FALSE(unescaped(text));
  }
}

TEST_CASE("a request is known by how it begins") {
  const auto request = parse_beginning(R"({"v":1,"id":9007199254740991,"event":"hello","minor":0})");
  REQUIRE(request);
  CHECK(request->id == 9007199254740991);
  CHECK(request->event == "hello");
  for (const std::string_view line :
       {"", "nonsense", "{}", R"({"v":1,"id":"1","event":"hello"})", R"({"id":1,"v":1,"event":"hello"})",
        R"({"v":1,"id":99999999999999999999,"event":"hello"})"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_beginning(line));
  }
}

}  // namespace
}  // namespace hooksmtpd::hook
