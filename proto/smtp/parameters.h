// The parameters of MAIL and RCPT: which of them a session understands, and whether their values are right.
//
// SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC 6531), RET, ENVID, NOTIFY and ORCPT (RFC 3461, RFC 6533),
// AUTH (RFC 4954 §5), REQUIRETLS (RFC 8689), BY (RFC 2852), HOLDFOR and HOLDUNTIL (RFC 4865), MT-PRIORITY (RFC 6710).
//
// What a value means is for hooks to say, and they get it as it was sent; only what changes the session comes out here.

#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "proto/smtp/command.h"

namespace hooksmtpd::smtp {

// The extensions that a session offers now. A parameter of any other is 555.
struct Offer {
  bool size = false;
  bool eight_bit_mime = false;
  bool binary_mime = false;  // with BDAT only (RFC 3030 §3)
  bool smtputf8 = false;
  bool dsn = false;
  bool auth = false;
  bool require_tls = false;  // known here, and refused with 530 while `tls` is off
  bool deliver_by = false;
  bool future_release = false;
  bool mt_priority = false;

  bool tls = false;                        // the connection is encrypted
  std::uint64_t message_size = 0;          // octets, of SIZE
  std::uint32_t shortest_by = 0;           // seconds, of BY with mode R; 0: none
  std::uint32_t longest_hold = 0;          // seconds, of HOLDFOR; 1–999999999
  std::chrono::sys_seconds latest_hold{};  // of HOLDUNTIL
};

enum class Body : std::uint8_t { kSevenBit, kEightBitMime, kBinaryMime };

// What MAIL settled for the rest of its transaction.
struct MailTerms {
  Body body = Body::kSevenBit;  // kBinaryMime: DATA is 503 (RFC 3030 §3)
  bool smtputf8 = false;        // addresses and header fields may be UTF-8
  bool require_tls = false;

  friend bool operator==(const MailTerms&, const MailTerms&) = default;
};

// The error is the whole reply to send, from replies.h. An address beyond ASCII needs SMTPUTF8: 550 5.6.7 for a
// sender, 553 5.6.7 for a recipient (RFC 6531 §3.5).
std::expected<MailTerms, std::string_view> judge_mail(const command::Mail& mail, const Offer& offer);

// The same for RCPT, under the terms of its MAIL. nullopt: nothing is wrong.
std::optional<std::string_view> judge_rcpt(const command::Rcpt& rcpt, const Offer& offer, const MailTerms& terms);

}  // namespace hooksmtpd::smtp
