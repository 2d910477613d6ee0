#include "proto/hook/request.h"

#include <algorithm>
#include <array>

#include "proto/hook/json_writer.h"
#include "proto/mail/idn.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::hook {
namespace {

// Writes a line between its first keys and its LF, and takes it back if it came out too long.
template <class Body>
Written append_line(std::string& out, RequestId id, Event event, Body body) {
  const std::size_t before = out.size();
  JsonWriter writer(out);
  out += '{';
  writer.number("v", kMajorVersion);
  writer.number("id", id);
  writer.text("event", to_string(event));
  body(writer);
  out += "}\n";
  const std::size_t length = out.size() - before;
  if (length > (event == Event::kDeliver ? kMaxDeliverRequest : kMaxRequest)) {
    out.resize(before);
    return std::unexpected(RequestError::kTooLong);
  }
  return length;
}

void append(JsonWriter& writer, std::string_view key, const Endpoint& endpoint) {
  writer.begin_object(key);
  writer.text("ip", endpoint.ip);
  writer.number("port", endpoint.port);
  writer.end_object();
}

void append(JsonWriter& writer, const TlsFacts& tls) {
  writer.begin_object("tls");
  writer.text("version", tls.version);
  writer.text("cipher", tls.cipher);
  writer.number("bits", static_cast<std::uint64_t>(std::max(tls.bits, 0)));
  writer.text("server_name", tls.server_name);
  writer.text("client_subject", tls.client_subject);
  writer.text("client_fingerprint", tls.client_fingerprint);
  writer.boolean("client_verified", tls.client_verified);
  writer.end_object();
}

void append(JsonWriter& writer, const SessionFacts& session, std::string_view transaction = {}) {
  writer.text("session", session.id);
  if (!transaction.empty()) writer.text("transaction", transaction);
  writer.text("listener", session.listener);
  append(writer, "client", session.client);
  append(writer, "server", session.server);
  writer.text("helo", session.helo);
  writer.text("protocol", session.protocol);
  if (session.tls) append(writer, *session.tls);
  if (!session.user.empty()) writer.text("user", session.user);
}

// A keyword has no underscore (RFC 5321 §4.1.2), so no client can forge the twin of a value.
void append_members(JsonWriter& writer, const mail::Parameters& params) {
  for (const auto& [keyword, value] : params) {
    if (value.empty()) {
      writer.boolean(keyword, true);
    } else {
      writer.text(keyword, value);
    }
  }
}

void append(JsonWriter& writer, const mail::Parameters& params) {
  writer.begin_object("params");
  append_members(writer, params);
  writer.end_object();
}

// An address as the subject of a request: its parts, and last the whole.
void append_subject(JsonWriter& writer, const mail::Mailbox* mailbox) {
  if (mailbox && !mail::is_ascii(mailbox->domain)) writer.text("domain_ascii", mail::ascii_domain(mailbox->domain));
  writer.text("local", mailbox ? std::string_view(mailbox->local_part) : std::string_view());
  writer.text("domain", mailbox ? std::string_view(mailbox->domain) : std::string_view());
  writer.text("address", mailbox ? to_string(*mailbox) : std::string());
}

void append(JsonWriter& writer, std::span<const mail::Recipient> recipients) {
  const auto is_clean = [](const mail::Recipient& recipient) {
    return mail::is_utf8(recipient.mailbox.local_part) && mail::is_utf8(recipient.mailbox.domain);
  };
  if (!std::ranges::all_of(recipients, is_clean)) {
    writer.begin_array("to_b64");
    for (const mail::Recipient& recipient : recipients) {
      is_clean(recipient) ? writer.null() : writer.base64(to_string(recipient.mailbox));
    }
    writer.end_array();
  }
  writer.begin_array("to");
  for (const mail::Recipient& recipient : recipients) writer.text(to_string(recipient.mailbox));
  writer.end_array();
  if (std::ranges::all_of(recipients, &mail::Parameters::empty, &mail::Recipient::params)) return;
  writer.begin_array("to_params");
  for (const mail::Recipient& recipient : recipients) {
    writer.begin_object();
    append_members(writer, recipient.params);
    writer.end_object();
  }
  writer.end_array();
}

std::uint64_t count(std::chrono::milliseconds time) {
  return static_cast<std::uint64_t>(std::max<std::chrono::milliseconds::rep>(time.count(), 0));
}

}  // namespace

std::string_view to_string(EndReason reason) {
  static constexpr std::array<std::string_view, 7> kNames = {"quit", "lost",     "timeout", "limit",
                                                             "hook", "shutdown", "error"};
  static_assert(kNames.size() == static_cast<std::size_t>(EndReason::kError) + 1);
  return kNames[static_cast<std::size_t>(reason)];
}

Written append_request(std::string& out, RequestId id, const Hello& hello) {
  return append_line(out, id, Event::kHello, [&](JsonWriter& writer) {
    writer.number("minor", kMinorVersion);
    writer.text("daemon", hello.daemon);
    writer.text("hook", hello.hook);
    writer.number("instance", hello.instance);
    writer.text("isolation", hello.isolation);
    writer.begin_array("events");
    for (const EventTimeout& event : hello.events) writer.text(to_string(event.event));
    writer.end_array();
    writer.begin_object("timeout_ms");
    for (const EventTimeout& event : hello.events) writer.number(to_string(event.event), count(event.timeout));
    writer.end_object();
    writer.number("max_line", kMaxReply);
    writer.json("options", hello.options);
  });
}

Written append_request(std::string& out, RequestId id, const ValidateHost& question) {
  return append_line(out, id, Event::kValidateHost, [&](JsonWriter& writer) {
    append(writer, question.session);
    writer.text("address", question.session.client.ip);
  });
}

Written append_request(std::string& out, RequestId id, const Auth& question) {
  return append_line(out, id, Event::kAuth, [&](JsonWriter& writer) {
    SessionFacts session = question.session;
    session.user = {};  // who it wants to be is the subject, and nobody has been let in yet
    append(writer, session);
    writer.text("mechanism", question.mechanism);
    writer.text("authorization_id", question.authorization_id);
    if (question.password) writer.text("password", *question.password);
    if (question.token) writer.text("token", *question.token);
    if (question.challenge) writer.text("challenge", *question.challenge);
    if (question.digest) writer.text("digest", *question.digest);
    writer.text("user", question.user);
  });
}

Written append_request(std::string& out, RequestId id, const ValidateSender& question) {
  return append_line(out, id, Event::kValidateSender, [&](JsonWriter& writer) {
    append(writer, question.session, question.transaction);
    append(writer, question.params);
    append_subject(writer, question.from ? &*question.from : nullptr);
  });
}

Written append_request(std::string& out, RequestId id, const ValidateRecipient& question) {
  return append_line(out, id, Event::kValidateRecipient, [&](JsonWriter& writer) {
    append(writer, question.session, question.transaction);
    writer.text("from", to_string(question.from));
    writer.number("accepted", question.accepted);
    append(writer, question.to.params);
    append_subject(writer, &question.to.mailbox);
  });
}

Written append_request(std::string& out, RequestId id, const Deliver& question) {
  return append_line(out, id, Event::kDeliver, [&](JsonWriter& writer) {
    append(writer, question.session, question.transaction);
    writer.text("received_at", question.received_at);
    writer.text("from", to_string(question.envelope.reverse_path));
    append(writer, question.envelope.params);
    append(writer, question.envelope.recipients);
    writer.begin_object("message");
    writer.number("size", question.message.size);
    writer.boolean("eight_bit", question.message.eight_bit);
    writer.number("long_lines", question.message.long_lines);
    writer.number("trace_headers", question.message.trace_headers);
    writer.text("path", question.message.path);
    writer.end_object();
  });
}

Written append_request(std::string& out, RequestId id, const Reset& notice) {
  return append_line(out, id, Event::kReset, [&](JsonWriter& writer) {
    append(writer, notice.session, notice.transaction);
    writer.text("reason", "refused");
  });
}

Written append_request(std::string& out, RequestId id, const Disconnect& notice) {
  return append_line(out, id, Event::kDisconnect, [&](JsonWriter& writer) {
    append(writer, notice.session);
    writer.number("duration_ms", count(notice.duration));
    writer.begin_object("counts");
    writer.number("commands", notice.commands);
    writer.number("recipients", notice.recipients);
    writer.number("messages_accepted", notice.messages_accepted);
    writer.number("messages_refused", notice.messages_refused);
    writer.number("bytes_received", notice.bytes_received);
    writer.number("bytes_sent", notice.bytes_sent);
    writer.end_object();
    writer.text("reason", to_string(notice.reason));
  });
}

}  // namespace hooksmtpd::hook
