#include "proto/hook/request.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "tests/proto/hook/golden.h"

namespace hooksmtpd::hook {
namespace {

using namespace std::chrono_literals;
using mail::Mailbox;
using mail::Recipient;

constexpr SessionFacts kSession{.id = "c7f3a1",
                                .listener = "smtp",
                                .client = {.ip = "192.0.2.7", .port = 51514},
                                .server = {.ip = "192.0.2.1", .port = 25},
                                .helo = "laptop.example",
                                .protocol = "ESMTP"};
const Mailbox kAnn{.local_part = "ann", .domain = "example.org"};
const Mailbox kBob{.local_part = "bob", .domain = "example.test"};
const mail::Parameters kParams{{"SIZE", "1834"}, {"BODY", "8BITMIME"}};

// Composes one line after the other, with the ids that the golden lines have.
class Lines {
 public:
  template <class Request>
  void add(RequestId id, const Request& request) {
    std::string line;
    const auto written = append_request(line, id, request);
    REQUIRE(written);
    CHECK(*written == line.size());
    REQUIRE(line.ends_with("\n"));
    line.pop_back();
    CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
    CHECK(nlohmann::ordered_json::parse(line).dump(-1, ' ', true) == line);
    lines_.push_back(line);
  }
  void check(std::string_view name) const {
    const auto expected = golden(name);
    for (std::size_t i = 0; i < std::min(lines_.size(), expected.size()); ++i) CHECK(lines_[i] == expected[i]);
    CHECK(lines_.size() == expected.size());
  }

 private:
  std::vector<std::string> lines_;
};

TEST_CASE("hello names events, time limits and options") {
  const std::array events{EventTimeout{Event::kValidateRecipient, 5s}, EventTimeout{Event::kDisconnect, 10s}};
  Hello hello{.daemon = "hooksmtpd 0.1.0",
              .hook = "policy",
              .instance = 1,
              .isolation = "full",
              .events = events,
              .options = R"({"domain":"example.test"})"};
  Lines lines;
  lines.add(1, hello);
  // Options may come with white space and as UTF-8.
  hello.options = "{ \"a b\" : [ 1,\n\t2 ], \"quote\" : \"\\\" :  \\\\\", \"city\" : \"K\u00f6ln \U0001f600\" }";
  hello.instance = 2;
  hello.events = {};
  hello.isolation = "none";
  lines.add(1, hello);
  lines.check("hello.jsonl");
}

TEST_CASE("validate_host comes before HELO") {
  SessionFacts session = kSession;
  session.helo = session.protocol = {};
  Lines lines;
  lines.add(2, ValidateHost{.session = session});
  session.client = {.ip = "2001:db8::7", .port = 65535};
  session.server = {.ip = "2001:db8::1", .port = 2525};
  lines.add(9007199254740991, ValidateHost{.session = session});
  lines.check("validate_host.jsonl");
}

// A client that showed a certificate and has authenticated.
SessionFacts encrypted() {
  SessionFacts session = kSession;
  session.protocol = "ESMTPSA";
  session.tls = TlsFacts{.version = "TLSv1.3",
                         .cipher = "TLS_AES_256_GCM_SHA384",
                         .bits = 256,
                         .server_name = "mail.test",
                         .client_subject = "CN=ann,O=k\xc3\xb6ln",
                         .client_fingerprint = "3f2a",
                         .client_verified = true};
  session.user = "ann";
  return session;
}

TEST_CASE("auth has what the mechanism gave, and the user last") {
  SessionFacts session = encrypted();
  session.user = {};
  session.protocol = "ESMTPS";
  session.tls->client_subject = session.tls->client_fingerprint = {};
  session.tls->client_verified = false;
  Lines lines;
  lines.add(
      9, Auth{.session = session, .mechanism = "PLAIN", .authorization_id = "", .user = "ann", .password = "s3cret"});
  lines.add(
      9,
      Auth{
          .session = session, .mechanism = "LOGIN", .authorization_id = "", .user = "j\xc3\xb6rg", .password = "\xff"});
  lines.add(9, Auth{.session = session,
                    .mechanism = "XOAUTH2",
                    .authorization_id = "",
                    .user = "ann@example.org",
                    .token = "ya29.vF9dft4"});
  lines.add(9, Auth{.session = kSession,
                    .mechanism = "CRAM-MD5",
                    .authorization_id = "",
                    .user = "tim",
                    .challenge = "<1896.697170952@postoffice.reston.mci.net>",
                    .digest = "b913a602c7eda7a495b4e6e7334d3890"});
  lines.check("auth.jsonl");
}

TEST_CASE("validate_sender has the address last, and nothing can forge that") {
  Lines lines;
  const auto add = [&](const mail::ReversePath& from, const mail::Parameters& params) {
    lines.add(3, ValidateSender{.session = kSession, .transaction = "c7f3a1-1", .from = from, .params = params});
  };
  add(kAnn, kParams);
  add(std::nullopt, {});  // the null path of a bounce
  add(Mailbox{.local_part = R"(x"@blocked.example"},")", .domain = "example.org"}, {});
  add(Mailbox{.local_part = "b\xc3\xbc\xf0\x9f\x98\x80", .domain = "k\xc3\xb6ln.example"}, {{"SMTPUTF8", ""}});
  add(Mailbox{.local_part = "b\xfc\xc3", .domain = "example.org"}, {{"X", "\xff"}});  // not UTF-8
  add(Mailbox{.local_part = "a@[exit]$(id)`id`", .domain = "[127.0.0.1]"}, {});
  add(Mailbox{.local_part = "carl", .domain = "blocked.example"}, {});
  const SessionFacts session = encrypted();
  lines.add(3, ValidateSender{.session = session, .transaction = "c7f3a1-1", .from = kAnn, .params = {}});
  lines.check("validate_sender.jsonl");
}

TEST_CASE("validate_recipient says how many came before") {
  Lines lines;
  const auto add = [&](const mail::ReversePath& from, std::size_t accepted, const Recipient& to) {
    lines.add(4, ValidateRecipient{
                     .session = kSession, .transaction = "c7f3a1-1", .from = from, .accepted = accepted, .to = to});
  };
  add(kAnn, 0, {.mailbox = kBob, .params = {}});
  add(std::nullopt, 999, {.mailbox = kBob, .params = {{"NOTIFY", "NEVER"}}});
  add(kAnn, 1, {.mailbox = {.local_part = "", .domain = "blocked.example"}, .params = {}});
  add(kAnn, 1, {.mailbox = {.local_part = "ghost", .domain = "blocked.example"}, .params = {}});
  add(kAnn, 1, {.mailbox = {.local_part = "ghost", .domain = "not-blocked.example"}, .params = {}});
  add(kAnn, 1, {.mailbox = {.local_part = "ghost\x80", .domain = "blocked.example"}, .params = {}});
  add(kAnn, 1, {.mailbox = {.local_part = "b\xfc", .domain = "example.test"}, .params = {}});
  lines.check("validate_recipient.jsonl");
}

TEST_CASE("deliver names the message last") {
  Lines lines;
  const auto add = [&](const mail::Envelope& envelope, const MessageFacts& message) {
    lines.add(5, Deliver{.session = kSession,
                         .transaction = "c7f3a1-1",
                         .envelope = envelope,
                         .received_at = "2026-11-22T17:20:11.482Z",
                         .message = message});
  };
  const Recipient bob{.mailbox = kBob, .params = {}};
  const Recipient eve{.mailbox = {.local_part = "eve", .domain = "example.test"}, .params = {}};
  add({.reverse_path = kAnn, .params = kParams, .recipients = {bob, eve}},
      {.size = 1901, .trace_headers = 2, .path = "/run/hooksmtpd/spool/store/c7f3a1-1.eml"});
  const Recipient odd{.mailbox = {.local_part = "\xfc", .domain = "example.test"}, .params = {{"NOTIFY", "NEVER"}}};
  add({.reverse_path = std::nullopt, .params = {}, .recipients = {bob, odd}},
      {.size = 0, .eight_bit = true, .long_lines = 3, .trace_headers = 1, .path = "/tmp/a \"b\"/c7f3a1-1.eml"});
  lines.check("deliver.jsonl");
}

TEST_CASE("reset and disconnect end with the reason") {
  Lines resets;
  resets.add(6, Reset{.session = kSession, .transaction = "c7f3a1-1"});
  const SessionFacts session = encrypted();
  resets.add(6, Reset{.session = session, .transaction = "c7f3a1-1"});
  resets.check("reset.jsonl");
  Lines disconnects;
  Disconnect end{.session = kSession,
                 .duration = 812ms,
                 .commands = 6,
                 .recipients = 2,
                 .messages_accepted = 1,
                 .messages_refused = 0,
                 .bytes_received = 2024,
                 .bytes_sent = 310,
                 .reason = EndReason::kQuit};
  disconnects.add(7, end);
  end.duration = -1ms;  // a clock that was set back
  for (const EndReason reason : {EndReason::kLost, EndReason::kTimeout, EndReason::kLimit, EndReason::kHook,
                                 EndReason::kShutdown, EndReason::kError}) {
    end.reason = reason;
    disconnects.add(8, end);
  }
  disconnects.check("disconnect.jsonl");
}

TEST_CASE("a request over its limit is an error and leaves no trace") {
  const std::string options = "{\"a\":\"" + std::string(kMaxRequest, 'x') + "\"}";
  std::string out = "before\n";
  const auto written =
      append_request(out, 1, Hello{.daemon = "d", .hook = "h", .isolation = "none", .events = {}, .options = options});
  REQUIRE(!written);
  CHECK(written.error() == RequestError::kTooLong);
  CHECK(out == "before\n");
}

TEST_CASE("1,000 long recipients fit a deliver request") {
  mail::Envelope envelope{.reverse_path = kAnn, .params = {}, .recipients = {}};
  const Mailbox longest{.local_part = std::string(64, 'l'), .domain = std::string(255, 'd')};
  envelope.recipients.assign(1000, {.mailbox = longest, .params = {}});
  std::string out;
  CHECK(append_request(
      out, 1,
      Deliver{.session = kSession, .transaction = "t", .envelope = envelope, .received_at = "", .message = {}}));
  envelope.recipients.assign(4000, {.mailbox = longest, .params = {}});
  CHECK(!append_request(
      out, 1,
      Deliver{.session = kSession, .transaction = "t", .envelope = envelope, .received_at = "", .message = {}}));
}

TEST_CASE("every event has a name and is found by it") {
  for (std::size_t i = 0; i < kEvents; ++i) {
    const Event event{static_cast<std::uint8_t>(i)};
    CHECK(parse_event(to_string(event)) == event);
  }
  CHECK(parse_event("DELIVER") == std::nullopt);
  CHECK(verdict_counts(Event::kAuth));
}

}  // namespace
}  // namespace hooksmtpd::hook
