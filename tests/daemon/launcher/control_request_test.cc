#include "daemon/launcher/control_request.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace hooksmtpd::launcher {
namespace {

struct Printer {
  std::string operator()(const request::Status&) const { return "status"; }
  std::string operator()(const request::Ready&) const { return "ready"; }
  std::string operator()(const request::Reload&) const { return "reload"; }
  std::string operator()(const request::Configure& asked) const { return "configure " + asked.key + " " + asked.value; }
  std::string operator()(const request::Cget& asked) const { return "cget <" + asked.key + ">"; }
  std::string operator()(const request::Stop& asked) const { return asked.wait ? "stop and wait" : "stop"; }
  std::string operator()(const request::Subscribe& asked) const { return "subscribe " + asked.line; }
  std::string operator()(const request::Hooks&) const { return "hooks"; }
  std::string operator()(const request::RestartHook& asked) const {
    return "restart " + asked.hook + "/" + std::to_string(asked.instance);
  }
};

std::string parsed(std::string_view line) {
  const auto asked = parse_control_request(line);
  return asked ? std::visit(Printer{}, *asked) : "error: " + asked.error().error;
}

TEST_CASE("requests on the control socket") {
  struct Row {
    const char* line;
    const char* result;
  };
  const Row rows[] = {
      {R"({"command":"status"})", "status"},
      {R"({"command":"ready","unknown":1})", "ready"},
      {R"({"command":"reload"})", "reload"},
      {R"({"command":"stop"})", "stop"},
      {R"({"command":"stop","wait":true})", "stop and wait"},
      {R"({"command":"stop","wait":"yes"})", "error: stop: \"wait\" is true or false"},
      {R"({"command":"cget"})", "cget <>"},
      {R"({"command":"cget","key":"banner"})", "cget <banner>"},
      {R"({"command":"cget","key":7})", "error: cget: \"key\" is a string"},
      {R"({"command":"configure","key":"banner","value":"x y"})", "configure banner x y"},
      {R"({"command":"configure","key":"banner"})", "error: configure: \"key\" and \"value\" are strings"},
      {R"({"command":"configure","key":"limits.errors","value":7})",
       "error: configure: \"key\" and \"value\" are strings"},
      {R"({"command":"trace","hook":"x"})", R"(subscribe {"command":"trace","hook":"x"})"},
      {R"({"command":"messages","since":"w-1"})", R"(subscribe {"command":"messages","since":"w-1"})"},
      {R"({"command":"hooks"})", "hooks"},
      {R"({"command":"restart-hook","hook":"policy"})", "restart policy/0"},
      {R"({"command":"restart-hook","hook":"policy","instance":2})", "restart policy/2"},
      {R"({"command":"restart-hook"})", "error: restart-hook: \"hook\" is the name of a hook"},
      {R"({"command":"restart-hook","hook":"policy","instance":0})",
       "error: restart-hook: \"instance\" is a number from 1"},
      {R"({"command":"restart-hook","hook":"policy","instance":4294967297})",
       "error: restart-hook: \"instance\" is a number from 1"},
      {R"({"command":"stat"})", "error: unknown command 'stat' — did you mean 'status'?"},
      {R"({"command":["status"]})", "error: a request names its \"command\""},
      {"{}", "error: a request names its \"command\""},
      {"[]", "error: a request is one JSON object on one line"},
      {"status", "error: a request is one JSON object on one line"},
      {"", "error: a request is one JSON object on one line"},
      {"\xff\xfe", "error: a request is one JSON object on one line"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    const std::string result = parsed(row.line);
    CHECK_MESSAGE(result.starts_with(row.result), result);
  }
}

TEST_CASE("what is passed on to the worker has a bound") {
  CHECK(parsed(R"({"command":"trace","hook":")" + std::string(4096, 'x') + "\"}") ==
        "error: trace: a request of this kind has at most 4096 octets");
}

TEST_CASE("deep nesting is refused, not followed") {
  CHECK(parsed(std::string(60'000, '[')) == "error: a request is one JSON object on one line");
}

TEST_CASE("bytes that are not UTF-8 do not break the answer") {
  const Refusal refusal{.kind = Refusal::Kind::kConfig, .error = "bad \xff byte", .suggestion = {}};
  CHECK(to_line(to_json(refusal)) == "{\"error\":\"bad \xef\xbf\xbd byte\",\"kind\":\"config\",\"ok\":false}");
}

}  // namespace
}  // namespace hooksmtpd::launcher
