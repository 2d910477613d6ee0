#include "daemon/worker/trace_filter.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace hooksmtpd::worker;
using nlohmann::json;

namespace {

constexpr TraceSubject kOne{.session = "s1", .listener = "smtp", .client = "192.0.2.7"};

TraceFilter filter_of(const char* text) {
  auto filter = TraceFilter::parse(json::parse(text));
  REQUIRE(filter);
  return *std::move(filter);
}

std::string error_of(const char* text) {
  const auto filter = TraceFilter::parse(json::parse(text));
  return filter ? "" : filter.error();
}

}  // namespace

TEST_CASE("without any key a filter lets everything through") {
  const TraceFilter filter = filter_of("{}");
  CHECK(filter.wants(TraceKind::kClient, kOne));
  CHECK(filter.wants(TraceKind::kHook, {}, "policy"));
  CHECK(!filter.wants_messages());
}

TEST_CASE("each key restricts, and all of them count") {
  CHECK(filter_of(R"({"client":"192.0.2.7"})").wants(TraceKind::kClient, kOne));
  CHECK(filter_of(R"({"client":"192.0.2.0/24"})").wants(TraceKind::kClient, kOne));
  CHECK(!filter_of(R"({"client":"192.0.3.0/24"})").wants(TraceKind::kClient, kOne));
  CHECK(!filter_of(R"({"client":"192.0.2.0/24"})").wants(TraceKind::kHook, {}, "policy"));
  CHECK(filter_of(R"({"session":"s1"})").wants(TraceKind::kClient, kOne));
  CHECK(!filter_of(R"({"session":"s"})").wants(TraceKind::kClient, kOne));
  CHECK(filter_of(R"({"listener":"smtp"})").wants(TraceKind::kClient, kOne));
  CHECK(!filter_of(R"({"listener":"submission"})").wants(TraceKind::kClient, kOne));
  CHECK(filter_of(R"({"hook":"policy"})").wants(TraceKind::kReply, kOne, "policy"));
  CHECK(!filter_of(R"({"hook":"policy"})").wants(TraceKind::kReply, kOne, "other"));
  CHECK(!filter_of(R"({"hook":"policy"})").wants(TraceKind::kClient, kOne));
  CHECK(filter_of(R"({"hook":"policy"})").wants(TraceKind::kSession, kOne));
  CHECK(filter_of(R"({"what":["reply","stderr"]})").wants(TraceKind::kStderr, kOne, "policy"));
  CHECK(!filter_of(R"({"what":["reply","stderr"]})").wants(TraceKind::kClient, kOne));
  CHECK(!filter_of(R"({"what":[]})").wants(TraceKind::kClient, kOne));
  CHECK(!filter_of(R"({"hook":"policy","session":"s2"})").wants(TraceKind::kReply, kOne, "policy"));
  CHECK(filter_of(R"({"messages":true})").wants_messages());
}

TEST_CASE("what is no filter is refused with a sentence") {
  CHECK(error_of(R"({"session":7})") == "\"session\" is a string");
  CHECK(error_of(R"({"client":"x"})").starts_with("\"client\" "));
  CHECK(error_of(R"({"client":"192.0.2.7/24"})").starts_with("\"client\" "));
  CHECK(error_of(R"({"what":"reply"})") == "\"what\" is an array of strings");
  CHECK(error_of(R"({"what":[1]})") == "\"what\" is an array of strings");
  CHECK(error_of(R"({"what":["requests"]})") == "\"what\" has no 'requests' — did you mean 'request'?");
  CHECK(error_of(R"({"messages":1})") == "\"messages\" is true or false");
}
