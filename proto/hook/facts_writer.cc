#include "proto/hook/facts_writer.h"

#include <algorithm>

#include "proto/mail/idn.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::hook {
namespace {

void append(JsonWriter& writer, std::string_view key, const Endpoint& endpoint) {
  writer.begin_object(key);
  writer.text("ip", endpoint.ip);
  writer.number("port", endpoint.port);
  writer.end_object();
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

void append_lasting(JsonWriter& writer, const SessionFacts& session) {
  writer.text("listener", session.listener);
  append(writer, "client", session.client);
  append(writer, "server", session.server);
  writer.text("helo", session.helo);
  writer.text("protocol", session.protocol);
  if (session.tls) append(writer, *session.tls);
  if (!session.user.empty()) writer.text("user", session.user);
}

bool is_clean(const mail::Recipient& recipient) {
  return mail::is_utf8(recipient.mailbox.local_part) && mail::is_utf8(recipient.mailbox.domain);
}

}  // namespace

bool fits_inline(std::string_view body) {
  if (body.size() > kMaxInline) return false;
  return (mail::is_utf8(body) ? escaped_size(body) : (body.size() + 2) / 3 * 4) <= kMaxInline;
}

std::string written_once(const SessionFacts& session) {
  std::string members;
  JsonWriter writer(members);
  append_lasting(writer, session);
  return members;
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

void append(JsonWriter& writer, const SessionFacts& session, std::string_view transaction) {
  writer.text("session", session.id);
  if (!transaction.empty()) writer.text("transaction", transaction);
  if (session.written.empty()) {
    append_lasting(writer, session);
  } else {
    writer.members(session.written);
  }
  if (!session.notes.empty() && session.notes != "{}") writer.json("notes", session.notes);
}

void append(JsonWriter& writer, const mail::Parameters& params) {
  writer.begin_object("params");
  append_members(writer, params);
  writer.end_object();
}

void append_recipients(JsonWriter& writer, std::span<const mail::Recipient> recipients) {
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
}

void append_recipient_params(JsonWriter& writer, std::span<const mail::Recipient> recipients) {
  if (std::ranges::all_of(recipients, &mail::Parameters::empty, &mail::Recipient::params)) return;
  writer.begin_array("to_params");
  for (const mail::Recipient& recipient : recipients) {
    writer.begin_object();
    append_members(writer, recipient.params);
    writer.end_object();
  }
  writer.end_array();
}

void append_subject(JsonWriter& writer, const mail::Mailbox* mailbox) {
  if (mailbox && !mail::is_ascii(mailbox->domain)) writer.text("domain_ascii", mail::ascii_domain(mailbox->domain));
  writer.text("local", mailbox ? std::string_view(mailbox->local_part) : std::string_view());
  writer.text("domain", mailbox ? std::string_view(mailbox->domain) : std::string_view());
  writer.text("address", mailbox ? to_string(*mailbox) : std::string());
}

void append(JsonWriter& writer, const MessageFacts& message) {
  writer.begin_object("message");
  writer.number("size", message.size);
  writer.boolean("eight_bit", message.eight_bit);
  writer.number("long_lines", message.long_lines);
  writer.number("trace_headers", message.trace_headers);
  if (message.added_headers > 0) writer.number("added_headers", message.added_headers);
  if (!message.inline_body) {
    writer.text("path", message.path);
  } else if (mail::is_utf8(*message.inline_body)) {
    writer.text("data", *message.inline_body);
  } else {
    writer.base64("data_b64", *message.inline_body);
  }
  writer.end_object();
}

}  // namespace hooksmtpd::hook
