#include "proto/hook/request.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "proto/hook/facts_writer.h"
#include "proto/hook/json_writer.h"

namespace hooksmtpd::hook {
namespace {

// Writes a line between its first keys and its LF, and takes it back if it came out too long.
template <class Body>
Written append_line(std::string& out, RequestId id, Event event, std::size_t limit, Body body) {
  const std::size_t before = out.size();
  JsonWriter writer(out);
  out += '{';
  writer.number("v", kMajorVersion);
  writer.number("id", id);
  writer.text("event", to_string(event));
  body(writer);
  out += "}\n";
  const std::size_t length = out.size() - before;
  if (length > limit) {
    out.resize(before);
    return std::unexpected(RequestError::kTooLong);
  }
  return length;
}

template <class Body>
Written append_line(std::string& out, RequestId id, Event event, Body body) {
  return append_line(out, id, event, kMaxRequest, body);
}

// What deliver and deliver_mime have before the message.
void append(JsonWriter& writer, const Deliver& question) {
  append(writer, question.session, question.transaction);
  writer.text("received_at", question.received_at);
  writer.text("from", to_string(question.envelope.reverse_path));
  append(writer, question.envelope.params);
  append_recipients(writer, question.envelope.recipients);
  append_recipient_params(writer, question.envelope.recipients);
}

std::uint64_t count(std::chrono::milliseconds time) {
  return static_cast<std::uint64_t>(std::max<std::chrono::milliseconds::rep>(time.count(), 0));
}

}  // namespace

std::string_view to_string(ResetReason reason) {
  static constexpr std::array<std::string_view, 6> kNames = {"refused", "rset", "hello", "failed", "lost", "over"};
  static_assert(kNames.size() == static_cast<std::size_t>(ResetReason::kOver) + 1);
  return kNames[static_cast<std::size_t>(reason)];
}

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
    writer.number("max_line", hello.max_line);
    writer.json("options", hello.options);
  });
}

Written append_request(std::string& out, RequestId id, const ValidateHost& question) {
  return append_line(out, id, Event::kValidateHost, [&](JsonWriter& writer) {
    append(writer, question.session);
    writer.text("address", question.session.client.ip);
  });
}

Written append_request(std::string& out, RequestId id, const Helo& question) {
  return append_line(out, id, Event::kHelo, [&](JsonWriter& writer) {
    append(writer, question.session);
    writer.text("verb", question.verb);
    writer.text("name", question.name);
  });
}

Written append_request(std::string& out, RequestId id, const Starttls& question) {
  assert(question.session.tls && "starttls without TLS");
  return append_line(out, id, Event::kStarttls, [&](JsonWriter& writer) {
    SessionFacts session = question.session;
    session.tls.reset();
    session.written = {};
    append(writer, session);
    append(writer, *question.session.tls);
  });
}

Written append_request(std::string& out, RequestId id, const Auth& question) {
  return append_line(out, id, Event::kAuth, [&](JsonWriter& writer) {
    SessionFacts session = question.session;
    session.user = {};  // who it wants to be is the subject, and nobody has been let in yet
    session.written = {};
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

// A thousand recipients do not fit a short line.
Written append_request(std::string& out, RequestId id, const Data& question) {
  return append_line(out, id, Event::kData, kMaxLongRequest, [&](JsonWriter& writer) {
    append(writer, question.session, question.transaction);
    writer.text("from", to_string(question.envelope.reverse_path));
    append(writer, question.envelope.params);
    append_recipient_params(writer, question.envelope.recipients);
    append_recipients(writer, question.envelope.recipients);
  });
}

Written append_request(std::string& out, RequestId id, const Deliver& question) {
  return append_line(out, id, Event::kDeliver, kMaxLongRequest, [&](JsonWriter& writer) {
    append(writer, question);
    append(writer, question.message);
  });
}

Written append_request(std::string& out, RequestId id, const DeliverMime& question) {
  return append_line(out, id, Event::kDeliverMime, kMaxLongRequest, [&](JsonWriter& writer) {
    append(writer, question.deliver);
    if (!question.for_hook.empty()) writer.text("for", question.for_hook);
    if (!question.mime.empty()) writer.json("mime", question.mime);
    append(writer, question.deliver.message);
  });
}

Written append_request(std::string& out, RequestId id, const Command& question) {
  return append_line(out, id, Event::kCommand, [&](JsonWriter& writer) {
    append(writer, question.session);
    writer.text("line", question.line);
  });
}

Written append_request(std::string& out, RequestId id, const Reset& notice) {
  return append_line(out, id, Event::kReset, [&](JsonWriter& writer) {
    append(writer, notice.session, notice.transaction);
    if (!notice.for_hook.empty()) writer.text("for", notice.for_hook);
    writer.text("reason", to_string(notice.reason));
  });
}

Written append_request(std::string& out, RequestId id, const Disconnect& notice) {
  const std::size_t limit = notice.dialogue.empty() ? kMaxRequest : kMaxLongRequest;
  return append_line(out, id, Event::kDisconnect, limit, [&](JsonWriter& writer) {
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
    if (!notice.dialogue.empty()) writer.written("dialogue", notice.dialogue);
    writer.text("reason", to_string(notice.reason));
  });
}

Written append_request(std::string& out, RequestId id, const Cancel& notice) {
  return append_line(out, id, Event::kCancel, [&](JsonWriter& writer) {
    append(writer, notice.session);
    writer.number("target", notice.target);
  });
}

}  // namespace hooksmtpd::hook
