#include "hooks/tcl/request.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace hooksmtpd::tcl {
namespace {

std::string subject(std::string_view line) {
  const auto found = find_subject(line);
  if (!found) return "parser";
  if (!found->message) return fmt::format("<{}>", found->last);
  std::string text = fmt::format("<{}> to", found->message->from);
  for (const std::string_view address : found->message->to) text += fmt::format(" <{}>", address);
  return text.append(" in ").append(found->last);
}

struct Case {
  std::string_view line, expected;
};

TEST_CASE("what a callback must know is found without a parser where nothing is to be decoded") {
  const Case kCases[] = {
      {R"({"v":1,"id":1,"event":"validate_host","client":{"ip":"::1","port":1},"address":"::1"})", "<::1>"},
      {R"({"v":1,"id":1,"event":"validate_host","address":"2001:db8::"})", "<2001:db8::>"},
      {R"({"v":1,"id":1,"event":"validate_sender","domain":"","address":""})", "<>"},
      {R"({"v":1,"id":1,"event":"validate_recipient","from":"a@x.test","address":"[exit]$x{@x.test"})",
       "<[exit]$x{@x.test>"},
      {R"({"v":1,"id":1,"event":"deliver","from":"","params":{},"to":["b@x.test"],"message":{"size":1,"path":"/m"}})",
       "<> to <b@x.test> in /m"},
      {R"({"v":1,"id":1,"event":"deliver","from":"a@x.test","params":{"SIZE":"9"},"to":["b@x.test","c@x.test"],"message":{"path":"/m"}})",
       "<a@x.test> to <b@x.test> <c@x.test> in /m"},
      {R"({"v":1,"id":1,"event":"validate_sender","address":"\"a b\"@x.test"})", "parser"},
      {R"({"v":1,"id":1,"event":"validate_sender","address_b64":"/EBhLnRlc3Q=","address":"?@a.test"})", "parser"},
      {R"({"v":1,"id":1,"event":"deliver","message":{"path":"/m"}})", "parser"},
      {R"({"v":1,"id":1,"address":1})", "parser"},
      {"", "parser"},
      {"\"", "parser"},
  };
  for (const Case& each : kCases) {
    CAPTURE(each.line);
    CHECK(subject(each.line) == each.expected);
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
