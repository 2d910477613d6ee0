// The requests of events that a hook is asked only if it wants to: against their golden lines.

#include <doctest/doctest.h>

#include "proto/hook/json_writer.h"
#include "proto/hook/request.h"
#include "tests/proto/hook/lines.h"

namespace hooksmtpd::hook {
namespace {

using mail::Recipient;

TEST_CASE("helo has the name last, and the one before among the facts") {
  SessionFacts session = kSession;
  session.helo = session.protocol = {};
  Lines lines;
  lines.add(2, Helo{.session = session, .verb = "EHLO", .name = "laptop.example"});
  lines.add(2, Helo{.session = kSession, .verb = "HELO", .name = "other.example"});
  lines.add(2, Helo{.session = session, .verb = "LHLO", .name = "[192.0.2.7]"});
  lines.add(2, Helo{.session = session, .verb = "EHLO", .name = "caf\xe9 \"x\""});
  lines.check("helo.jsonl");
}

TEST_CASE("starttls has the encryption last") {
  SessionFacts session = encrypted();
  session.user = session.helo = session.protocol = {};
  Lines lines;
  lines.add(2, Starttls{.session = session});
  session.helo = "laptop.example";
  session.protocol = "ESMTPS";
  session.notes = R"({"n":1})";
  session.tls->server_name = "m\xe9";
  session.tls->client_subject = session.tls->client_fingerprint = {};
  session.tls->client_verified = false;
  lines.add(2, Starttls{.session = session});
  lines.check("starttls.jsonl");
}

TEST_CASE("what stays as it is in a session may be written once for all its requests") {
  SessionFacts anew = encrypted();
  anew.notes = R"({"n":1})";
  SessionFacts once = anew;
  const std::string written = written_once(anew);
  once.written = written;
  const auto line = [](const auto& request) {
    std::string text;
    REQUIRE(append_request(text, 7, request));
    return text;
  };
  CHECK(line(Helo{.session = once, .verb = "EHLO", .name = "a"}) ==
        line(Helo{.session = anew, .verb = "EHLO", .name = "a"}));
  const mail::ReversePath from = kAnn;
  CHECK(line(ValidateSender{.session = once, .transaction = "c7f3a1-1", .from = from, .params = kParams}) ==
        line(ValidateSender{.session = anew, .transaction = "c7f3a1-1", .from = from, .params = kParams}));
  // They say last, or leave out, what others say among the facts.
  CHECK(line(Starttls{.session = once}) == line(Starttls{.session = anew}));
  CHECK(line(Auth{.session = once, .mechanism = "PLAIN", .authorization_id = "", .user = "ann"}) ==
        line(Auth{.session = anew, .mechanism = "PLAIN", .authorization_id = "", .user = "ann"}));
}

TEST_CASE("data has the recipients last") {
  Lines lines;
  const auto add = [&](const mail::Envelope& envelope) {
    lines.add(4, Data{.session = kSession, .transaction = "c7f3a1-1", .envelope = envelope});
  };
  const Recipient bob{.mailbox = kBob, .params = {}};
  const Recipient eve{.mailbox = {.local_part = "eve", .domain = "example.test"}, .params = {}};
  const Recipient odd{.mailbox = {.local_part = "\xfc", .domain = "example.test"}, .params = {{"NOTIFY", "NEVER"}}};
  add({.reverse_path = kAnn, .params = kParams, .recipients = {bob, eve}});
  add({.reverse_path = std::nullopt, .params = {}, .recipients = {bob}});
  add({.reverse_path = kAnn, .params = {}, .recipients = {bob, odd}});
  lines.check("data.jsonl");
}

TEST_CASE("deliver_mime has the tree before the message, and for the mime hook whom it is for") {
  Lines lines;
  const Recipient bob{.mailbox = kBob, .params = {}};
  const mail::Envelope envelope{.reverse_path = kAnn, .params = kParams, .recipients = {bob}};
  const Deliver deliver{
      .session = kSession,
      .transaction = "c7f3a1-1",
      .envelope = envelope,
      .received_at = "2026-11-22T17:20:11.482Z",
      .message = {.size = 1901, .trace_headers = 2, .path = "/run/hooksmtpd/spool/inbox/c7f3a1-1.eml"}};
  for (const std::string& tree : golden("mime_trees.jsonl"))
    lines.add(5, DeliverMime{.deliver = deliver, .mime = tree});
  lines.add(5, DeliverMime{.deliver = deliver, .mime = R"({"path":"/run/hooksmtpd/mime/inbox/c7f3a1-1/tree.json"})"});
  lines.add(5, DeliverMime{.deliver = deliver, .for_hook = "inbox"});
  lines.check("deliver_mime.jsonl");
}

TEST_CASE("command has the line last, whatever it is") {
  Lines lines;
  lines.add(8, Command{.session = kSession, .line = "XFROB a b"});
  lines.add(8, Command{.session = kSession, .line = "$(id) `id` [exit] \"}"});
  lines.add(8, Command{.session = kSession, .line = "\xff\t\xe2\x80\xa8"});
  lines.check("command.jsonl");
}

TEST_CASE("cancel names the request that nobody waits for") {
  Lines lines;
  lines.add(10, Cancel{.session = kSession, .target = 5});
  lines.add(9007199254740991, Cancel{.session = encrypted(), .target = 9007199254740990});
  lines.check("cancel.jsonl");
}

TEST_CASE("what is between a short and a long request depends on the event") {
  const std::string note = "{\"n\":\"" + std::string(kMaxRequest, 'x') + "\"}";
  const std::string dialogue = "[\"" + std::string(kMaxRequest, 'x') + "\"]";
  std::string out;
  CHECK(!append_request(out, 1, Command{.session = kSession, .line = note}));
  CHECK(append_request(out, 1, Disconnect{.session = kSession, .dialogue = dialogue}));
  CHECK(!append_request(out, 1, Disconnect{.session = kSession, .dialogue = std::string(kMaxLongRequest, '1')}));
}

TEST_CASE("a message fits into the request if it takes 64 KiB there") {
  CHECK(fits_inline(""));
  CHECK(fits_inline(std::string(kMaxInline, 'x')));
  CHECK(!fits_inline(std::string(kMaxInline + 1, 'x')));
  CHECK(fits_inline(std::string(kMaxInline / 2, '\n')));
  CHECK(!fits_inline(std::string(kMaxInline / 2 + 1, '\n')));
  CHECK(!fits_inline(std::string(kMaxInline / 6 + 1, '\0')));
  const std::string latin1(kMaxInline / 4 * 3, '\xe9');  // in base64
  CHECK(fits_inline(latin1));
  CHECK(!fits_inline(latin1 + "x"));
  for (const char* text : {"a\"b\\c\r\n\t", "\x01\x7f", "\xc3\xbc\xf0\x9f\x98\x80"}) {
    std::string line;
    JsonWriter(line).text(text);
    CHECK(escaped_size(text) + 2 == line.size());
  }
}

}  // namespace
}  // namespace hooksmtpd::hook
