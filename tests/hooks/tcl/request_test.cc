#include "hooks/tcl/request.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace hooksmtpd::tcl {
namespace {

struct Case {
  std::string_view line, expected;
};

std::string address(std::string_view line) {
  const auto found = find_address(line);
  return found ? fmt::format("<{}>", *found) : "parser";
}

std::string envelope(std::string_view head) {
  const auto found = find_envelope(head);
  if (!found) return "parser";
  std::string text = fmt::format("<{}> to", found->from);
  for (const std::string_view recipient : found->to) text += fmt::format(" <{}>", recipient);
  return text;
}

std::string message(std::string_view event, std::string_view line) {
  const auto found = find_message(event, line);
  if (!found) return "none";
  static constexpr std::string_view kNames[] = {"path", "text", "base64"};
  return fmt::format("{} | {} {}", found->head, kNames[static_cast<int>(found->body.kind)], found->body.value);
}

TEST_CASE("an address is found without a parser where nothing is to be decoded") {
  const Case kCases[] = {
      {R"({"v":1,"id":1,"event":"validate_host","client":{"ip":"::1","port":1},"address":"::1"})", "<::1>"},
      {R"({"v":1,"id":1,"event":"validate_host","address":"2001:db8::"})", "<2001:db8::>"},
      {R"({"v":1,"id":1,"event":"validate_sender","domain":"","address":""})", "<>"},
      {R"({"v":1,"id":1,"event":"validate_recipient","from":"a@x.test","address":"[exit]$x{@x.test"})",
       "<[exit]$x{@x.test>"},
      {R"({"v":1,"id":1,"event":"validate_sender","address":"\"a b\"@x.test"})", "parser"},
      {R"({"v":1,"id":1,"event":"validate_sender","address_b64":"/EBhLnRlc3Q=","address":"?@a.test"})", "parser"},
      {R"({"v":1,"id":1,"address":1})", "parser"},
      {"", "parser"},
      {"\"", "parser"},
  };
  for (const Case& each : kCases) {
    CAPTURE(each.line);
    CHECK(address(each.line) == each.expected);
  }
}

TEST_CASE("sender and recipients are found without a parser where nothing is to be decoded") {
  const Case kCases[] = {
      {R"({"v":1,"from":"","params":{},"to":["b@x.test"])", "<> to <b@x.test>"},
      {R"({"v":1,"from":"a@x.test","params":{"SIZE":"9"},"to":["b@x.test","c@x.test"],"to_params":[{}])",
       "<a@x.test> to <b@x.test> <c@x.test>"},
      {R"({"v":1,"from":"\"a\"@x.test","to":["b@x.test"])", "parser"},
      {R"({"v":1,"from":"a@x.test","to_b64":[null],"to":["b@x.test"])", "parser"},
      {R"({"v":1)", "parser"},
  };
  for (const Case& each : kCases) {
    CAPTURE(each.line);
    CHECK(envelope(each.line) == each.expected);
  }
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
  const auto request = parse_request(R"({"v":1,"id":9007199254740991,"event":"hello","minor":0})");
  REQUIRE(request);
  CHECK(request->id == 9007199254740991);
  CHECK(request->event == "hello");
  for (const std::string_view line :
       {"", "nonsense", "{}", R"({"v":1,"id":"1","event":"hello"})", R"({"id":1,"v":1,"event":"hello"})",
        R"({"v":1,"id":99999999999999999999,"event":"hello"})"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_request(line));
  }
}

}  // namespace
}  // namespace hooksmtpd::tcl
