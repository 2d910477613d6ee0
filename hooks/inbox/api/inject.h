// Mail that comes over HTTP: stored like any other, and marked as injected.

#pragma once

#include <expected>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "hooks/inbox/api/context.h"
#include "hooks/inbox/mail/compose.h"

namespace hooksmtpd::inbox {

// What the pieces of a message are called in JSON. An address is an object or a text.
struct Spelling {
  const char *from, *to, *cc, *bcc, *reply_to, *subject, *text, *html, *headers, *tags, *attachments;
  const char *address, *name;                          // of an address
  const char *content, *filename, *type, *content_id;  // of an attachment, whose content is in base64
};

// Throws ProblemError where it is not as it must be.
Draft read_draft(const nlohmann::json& json, const Spelling& spelling);

struct Injection {
  std::string from;  // the envelope: an address, or empty
  std::vector<std::string> to;
  std::string octets;
};
// By its header, as far as `from` and `to` are empty.
void fill_envelope(Injection& injection);

// The envelope and the octets of a draft. Throws ProblemError.
Injection injection_of(const Draft& draft);

// With Return-Path and Received in front (RFC 5321 §4.4). `then` gets its id once it is on disk.
using Injected = std::function<void(const std::expected<std::string, WriteFailure>& id)>;
void inject(Context& context, Injection injection, Injected then);

}  // namespace hooksmtpd::inbox
