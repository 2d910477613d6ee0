// The parts of requests that several kinds of them have (PROTOCOL.md, "Requests").

#pragma once

#include <span>
#include <string_view>

#include "proto/hook/facts.h"
#include "proto/hook/json_writer.h"
#include "proto/mail/envelope.h"

namespace hooksmtpd::hook {

// The keys from `session` to `notes`; an empty transaction is left out.
void append(JsonWriter& writer, const SessionFacts& session, std::string_view transaction = {});

// "tls":{…}
void append(JsonWriter& writer, const TlsFacts& tls);

// "params":{…}
void append(JsonWriter& writer, const mail::Parameters& params);

// "to":[…]. Where some recipient had parameters, "to_params":[…].
void append_recipients(JsonWriter& writer, std::span<const mail::Recipient> recipients);
void append_recipient_params(JsonWriter& writer, std::span<const mail::Recipient> recipients);

// An address as the subject of a request: its parts, and last the whole. Null: the null path.
void append_subject(JsonWriter& writer, const mail::Mailbox* mailbox);

// "message":{…}
void append(JsonWriter& writer, const MessageFacts& message);

}  // namespace hooksmtpd::hook
