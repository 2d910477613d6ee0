// What the values of MAIL's and RCPT's parameters look like, one function for each form that is more than a word.
//
// All take a value as it stands behind "=", never empty.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/mail/mailbox.h"

namespace hooksmtpd::smtp {

// BY (RFC 2852 §4): "120;R", "-30;NT".
struct DeliverBy {
  std::int32_t seconds = 0;  // at most nine digits; below 0: the time is up already
  bool returns = false;      // mode R: give the message back if it cannot be done in time; else N: notify
  bool trace = false;        // T

  friend bool operator==(const DeliverBy&, const DeliverBy&) = default;
};
std::optional<DeliverBy> parse_deliver_by(std::string_view value);

// HOLDFOR (RFC 4865 §4): 1–999999999 seconds, without leading zeros.
std::optional<std::uint32_t> parse_hold_for(std::string_view value);

// HOLDUNTIL (RFC 4865 §4): a date-time of RFC 3339 in UTC, "2026-11-22T17:20:11Z".
std::optional<std::chrono::sys_seconds> parse_hold_until(std::string_view value);

// MT-PRIORITY (RFC 6710 §4): "-9" to "9", without a plus or leading zeros.
bool is_priority(std::string_view value);

// NOTIFY (RFC 3461 §4.1): "NEVER" alone, or a list of SUCCESS, FAILURE and DELAY.
bool is_notify(std::string_view value);

// ENVID (RFC 3461 §4.4): xtext of printable characters, at most 100 octets as it is sent.
bool is_envelope_id(std::string_view value);

// ORCPT (RFC 3461 §4.2): a type, ";" and the address as xtext, at most 500 octets as it is sent. With the type "utf-8"
// the address is as RFC 6533 §3 says; kUtf8: it may hold UTF-8 as it is, else only as \x{…}.
bool is_original_recipient(std::string_view value, mail::Characters characters);

// AUTH (RFC 4954 §5): "<>", or a mailbox as xtext.
bool is_submitter(std::string_view value, mail::Characters characters);

}  // namespace hooksmtpd::smtp
