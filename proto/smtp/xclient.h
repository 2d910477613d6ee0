// The XCLIENT command, with which a trusted proxy says on whose behalf it speaks (Postfix's XCLIENT_README).
//
// XCLIENT NAME=mail.example.org ADDR=IPV6:2001:db8::7 LOGIN=ann

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::smtp {

// What EHLO says behind the keyword.
inline constexpr std::string_view kXclientAttributes = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

// nullopt: the attribute was not given, what was known before holds. Empty, or port 0: the proxy does not know it
// ([UNAVAILABLE], [TEMPUNAVAIL]).
struct Xclient {
  std::optional<std::string> name;     // of the client, by the DNS
  std::optional<std::string> address;  // "192.0.2.7", "2001:db8::7"
  std::optional<std::uint16_t> port;
  std::optional<std::string> protocol;  // "SMTP" or "ESMTP"
  std::optional<std::string> helo;
  std::optional<std::string> login;  // the name the client authenticated with
  std::optional<std::string> destination_address;
  std::optional<std::uint16_t> destination_port;

  friend bool operator==(const Xclient&, const Xclient&) = default;
};

// `arguments` is what follows the verb. Values are xtext. The error is the whole reply to send, from replies.h.
std::expected<Xclient, std::string_view> parse_xclient(std::string_view arguments);

}  // namespace hooksmtpd::smtp
