#include "proto/hook/request.h"

#include <doctest/doctest.h>

#include <array>

#include "tests/proto/hook/lines.h"

namespace hooksmtpd::hook {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using mail::Mailbox;
using mail::Recipient;

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
  hello.options = "{}";
  hello.max_line = kMaxMimeReply;
  std::array<EventTimeout, kEvents - 1> all{};
  for (std::size_t i = 1; i < kEvents; ++i) all[i - 1] = {.event = Event{static_cast<std::uint8_t>(i)}, .timeout = 10s};
  hello.events = all;
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
  SessionFacts noted = kSession;
  noted.notes = R"({"seen":[1,{"a":null}],"k\u00f6ln":"\""})";
  lines.add(3, ValidateSender{.session = noted, .transaction = "c7f3a1-1", .from = kAnn, .params = {}});
  noted.notes = "{}";  // forgotten
  lines.add(3, ValidateSender{.session = noted, .transaction = "c7f3a1-1", .from = std::nullopt, .params = kParams});
  SessionFacts odd = kSession;
  odd.helo = "caf\xe9 \xe2\x80\xa8\"$(id)[exit]\\";  // Latin-1, and a line separator
  lines.add(3, ValidateSender{.session = odd, .transaction = "c7f3a1-1", .from = kAnn, .params = {}});
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
  add(kAnn, 1,
      {.mailbox = {.local_part = "a\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf", .domain = "example.test"}, .params = {}});
  add(kAnn, 1,
      {.mailbox = {.local_part = "__proto__", .domain = "[IPv6:2001:db8::7]"},
       .params = {{"ORCPT", "rfc822;a+3Db@c"}}});
  add(Mailbox{.local_part = "\xff", .domain = "example.org"}, 1, {.mailbox = kBob, .params = {}});
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
  add({.reverse_path = kAnn, .params = {}, .recipients = {bob}},
      {.size = 40, .trace_headers = 2, .added_headers = 3, .path = "/spool/c7f3a1-1.eml"});
  add({.reverse_path = kAnn, .params = {}, .recipients = {bob}},
      {.size = 36, .inline_body = "Subject: \"hi\"\r\n\r\n\tgr\xc3\xbc\xc3\x9f\xe2\x80\xa8\\\r\n\0."sv});
  add({.reverse_path = kAnn, .params = {}, .recipients = {bob}},
      {.size = 7, .eight_bit = true, .inline_body = "\r\ncaf\xe9\r\n"});
  add({.reverse_path = kAnn, .params = {}, .recipients = {bob}}, {.inline_body = ""});
  SessionFacts lmtp = kSession;
  lmtp.protocol = "LMTP";
  lines.add(5, Deliver{.session = lmtp,
                       .transaction = "c7f3a1-1",
                       .envelope = {.reverse_path = kAnn, .params = {}, .recipients = {bob, eve}},
                       .received_at = "2026-11-22T17:20:11.482Z",
                       .message = {.size = 9, .path = "/spool/c7f3a1-1.eml"}});
  lines.check("deliver.jsonl");
}

TEST_CASE("reset and disconnect end with the reason") {
  Lines resets;
  resets.add(6, Reset{.session = kSession, .transaction = "c7f3a1-1"});
  const SessionFacts session = encrypted();
  resets.add(6, Reset{.session = session, .transaction = "c7f3a1-1"});
  for (const ResetReason reason : {ResetReason::kRset, ResetReason::kHello, ResetReason::kFailed, ResetReason::kLost}) {
    resets.add(6, Reset{.session = kSession, .transaction = "c7f3a1-1", .reason = reason});
  }
  resets.add(6,
             Reset{.session = kSession, .transaction = "c7f3a1-1", .reason = ResetReason::kOver, .for_hook = "inbox"});
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
  end.reason = EndReason::kQuit;
  end.dialogue = "[]";
  disconnects.add(8, end);
  end.dialogue =
      R"([{"ms":0.4,"from":"server","line":"220 mail.test ready"},{"ms":12,"from":"client","line":"EHLO x"},)"
      R"({"ms":12.5,"from":"client","line_b64":"TUFJTCBGUk9NOjzpPg==","line":"MAIL FROM:<\ufffd>"},)"
      R"({"ms":13,"from":"client","octets":1834},{"ms":14,"from":"daemon","what":"tls",)"
      R"("version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"},{"ms":15.2,"from":"hook","hook":"policy",)"
      R"("instance":1,"event":"validate_recipient","action":"reject","code":550,)"
      R"("text":"no","took_ms":3.2},{"ms":16,"from":"hook","hook":"inbox","instance":2,"event":"deliver",)"
      R"("failed":"it ended","took_ms":0.125},{"from":"daemon","what":"truncated"}])";
  disconnects.add(8, end);
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
