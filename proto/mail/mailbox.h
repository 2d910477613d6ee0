// Mail addresses as SMTP spells them (RFC 5321 §4.1.2), and with SMTPUTF8 in any script (RFC 6531 §3.3).
//
// Whoever holds a Mailbox got it from a parser and need not check it again.

#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::mail {

struct Mailbox {
  std::string local_part;  // decoded: no quotes, no backslashes
  // Lower case. An address literal keeps its brackets. A name beyond ASCII is kept as people write it (U-labels,
  // normalised): ascii_domain() of idn.h says whether two domains are the same. Empty only for a bare "postmaster".
  std::string domain;

  friend bool operator==(const Mailbox&, const Mailbox&) = default;
};

// Where bounces go. Empty is the null path, "<>" (RFC 5321 §4.5.5).
using ReversePath = std::optional<Mailbox>;

enum class AddressError { kEmptyLocalPart, kNoDomain, kBadLocalPart, kBadDomain, kLocalPartTooLong, kDomainTooLong };

// Which characters an address may have: UTF-8 is for a client that said SMTPUTF8.
enum class Characters { kAscii, kUtf8 };

// §4.5.3.1.1 and §4.5.3.1.2, in octets as they stand on the wire.
inline constexpr std::size_t kMaxLocalPart = 64;
inline constexpr std::size_t kMaxDomain = 255;

// Parses what stands between the angle brackets of a path, without a source route: local-part "@" domain.
std::expected<Mailbox, AddressError> parse_mailbox(std::string_view text, Characters characters = Characters::kAscii);

// Parses a Domain or an address literal (§4.1.2, §4.1.3) and gives it as Mailbox::domain is.
std::expected<std::string, AddressError> parse_domain(std::string_view text,
                                                      Characters characters = Characters::kAscii);

// Both parts are ASCII: the address needs no SMTPUTF8.
bool is_ascii(const Mailbox& mailbox);

// The wire form without angle brackets, quoted only where §4.1.2 asks for it.
std::string to_string(const Mailbox& mailbox);

// The same for a path; the null path is the empty string.
std::string to_string(const ReversePath& path);

// "postmaster", in any case, with or without a domain: a server has to accept it (§4.5.1).
bool is_postmaster(const Mailbox& mailbox);

}  // namespace hooksmtpd::mail
