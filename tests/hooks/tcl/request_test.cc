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

}  // namespace
}  // namespace hooksmtpd::tcl
