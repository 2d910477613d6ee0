// The header lines that a server adds to a message it takes (RFC 5321 §4.4).

#pragma once

#include <string>

#include "proto/mail/envelope.h"
#include "proto/smtp/date.h"
#include "proto/smtp/settings.h"

namespace hooksmtpd::smtp {

struct Trace {
  std::string_view helo;            // as the client said it; empty is not possible here
  std::string_view client_address;  // "127.0.0.1", "::1"; anything else stands there as it is
  std::string_view hostname;        // ours
  std::string_view protocol;        // "SMTP", "ESMTPS" (RFC 3848)
  const TlsFacts* tls;              // null: in the clear
  std::string_view transaction;     // its id
  const mail::Envelope& envelope;
  Now now;
};

// Return-Path and Received, ready to stand before the message. The recipient is named only when there is just one: a
// list would tell each who else got a blind copy (§7.2), and who authenticated is nobody's business either.
std::string trace_headers(const Trace& trace);
inline constexpr int kTraceHeaders = 2;

// "192.0.2.7" -> "[192.0.2.7]", "::1" -> "[IPv6:::1]" (§4.1.3), "local" -> "local"
std::string address_literal(std::string_view address);

}  // namespace hooksmtpd::smtp
