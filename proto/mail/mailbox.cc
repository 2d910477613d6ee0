#include "proto/mail/mailbox.h"

#include <algorithm>

#include "proto/mail/idn.h"
#include "proto/mail/ip_address.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::mail {
namespace {

constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_eight_bit(char c) { return static_cast<unsigned char>(c) > 127; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// RFC 5322 §3.2.3, and what RFC 6531 §3.3 adds to it.
constexpr bool is_atext(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c) || is_eight_bit(c);
}

// Octets above 127 stand for characters of UTF-8, and only where they are allowed at all.
bool is_within(std::string_view text, Characters characters) {
  return is_ascii(text) || (characters == Characters::kUtf8 && is_utf8_text(text));
}

bool is_dot_string(std::string_view text) {
  bool at_atom_start = true;
  for (const char c : text) {
    if (c == '.' && at_atom_start) return false;
    if (c != '.' && !is_atext(c)) return false;
    at_atom_start = c == '.';
  }
  return !at_atom_start;
}

// The contents of a Quoted-string without its quotes (§4.1.2): what stands for itself, and what a backslash may
// precede. Characters beyond ASCII stand for themselves only (RFC 6531 §3.3).
std::expected<std::string, AddressError> unquote(std::string_view contents) {
  std::string plain;
  plain.reserve(contents.size());
  for (std::size_t i = 0; i < contents.size(); ++i) {
    if (contents[i] == '"') return std::unexpected(AddressError::kBadLocalPart);
    const bool escaped = contents[i] == '\\';
    if (escaped && ++i == contents.size()) return std::unexpected(AddressError::kBadLocalPart);
    const bool plain_ascii = contents[i] >= ' ' && contents[i] <= '~';
    if (!plain_ascii && (escaped || !is_eight_bit(contents[i]))) return std::unexpected(AddressError::kBadLocalPart);
    plain += contents[i];
  }
  return plain;
}

std::expected<std::string, AddressError> parse_local_part(std::string_view text, Characters characters) {
  if (text.empty()) return std::unexpected(AddressError::kEmptyLocalPart);
  if (text.size() > kMaxLocalPart) return std::unexpected(AddressError::kLocalPartTooLong);
  if (!is_within(text, characters)) return std::unexpected(AddressError::kBadLocalPart);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return unquote(text.substr(1, text.size() - 2));
  if (!is_dot_string(text)) return std::unexpected(AddressError::kBadLocalPart);
  return std::string(text);
}

// Where the '@' stands that ends the local part: behind a Quoted-string, if there is one.
std::size_t find_at(std::string_view text) {
  if (!text.starts_with('"')) return text.find('@');
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1 < text.size() && text[i + 1] == '@' ? i + 1 : std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

// What stands between the brackets of an address literal (§4.1.3).
bool is_literal(std::string_view text) {
  if (is_ipv4(text)) return true;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view tag = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 1);
  if (std::ranges::equal(tag, std::string_view("ipv6"), {}, lower)) return is_ipv6(rest);
  // General-address-literal: no other tag is registered, but the grammar leaves room for one.
  const auto is_dcontent = [](char c) { return c >= '!' && c <= '~' && c != '[' && c != '\\' && c != ']'; };
  return is_alnum(tag.back()) && std::ranges::all_of(tag, [](char c) { return is_alnum(c) || c == '-'; }) &&
         !rest.empty() && std::ranges::all_of(rest, is_dcontent);
}

// Letters, digits and inner hyphens; and, beyond §4.1.2, underscores: containers are often named with them.
bool is_domain(std::string_view text) {
  char previous = '.';
  for (const char c : text) {
    const bool after_dot = previous == '.';
    if (c == '.' ? after_dot || previous == '-' : !is_alnum(c) && c != '_' && (c != '-' || after_dot)) return false;
    previous = c;
  }
  return previous != '.' && previous != '-';
}

// What the mapping gave is looked at again: "ａ。ｂ" is the plain name "a.b", "ａ＠ｂ" is none, and a name may have
// grown.
std::expected<std::string, AddressError> parse_international(std::string_view text) {
  auto domain = normalise_international(text);
  if (!domain || !is_domain(ascii_domain(*domain))) return std::unexpected(AddressError::kBadDomain);
  if (domain->size() > kMaxDomain) return std::unexpected(AddressError::kDomainTooLong);
  return *std::move(domain);
}

}  // namespace

std::expected<std::string, AddressError> parse_domain(std::string_view text, Characters characters) {
  if (text.size() > kMaxDomain) return std::unexpected(AddressError::kDomainTooLong);
  if (characters == Characters::kUtf8 && !is_ascii(text)) return parse_international(text);
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (bracketed ? !is_literal(text.substr(1, text.size() - 2)) : !is_domain(text)) {
    return std::unexpected(AddressError::kBadDomain);
  }
  std::string domain(text);
  std::ranges::transform(domain, domain.begin(), lower);
  return domain;
}

std::expected<Mailbox, AddressError> parse_mailbox(std::string_view text, Characters characters) {
  const std::size_t at = find_at(text);
  if (at == std::string_view::npos) return std::unexpected(AddressError::kNoDomain);
  auto local_part = parse_local_part(text.substr(0, at), characters);
  if (!local_part) return std::unexpected(local_part.error());
  auto domain = parse_domain(text.substr(at + 1), characters);
  if (!domain) return std::unexpected(domain.error());
  return Mailbox{.local_part = *std::move(local_part), .domain = *std::move(domain)};
}

bool is_ascii(const Mailbox& mailbox) { return is_ascii(mailbox.local_part) && is_ascii(mailbox.domain); }

std::string to_string(const Mailbox& mailbox) {
  std::string text;
  text.reserve(mailbox.local_part.size() + 1 + mailbox.domain.size());
  if (is_dot_string(mailbox.local_part)) {
    text = mailbox.local_part;
  } else {
    text += '"';
    for (const char c : mailbox.local_part) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  if (!mailbox.domain.empty()) text.append(1, '@').append(mailbox.domain);
  return text;
}

std::string to_string(const ReversePath& path) { return path ? to_string(*path) : std::string(); }

bool is_postmaster(const Mailbox& mailbox) {
  return std::ranges::equal(mailbox.local_part, std::string_view("postmaster"), {}, lower);
}

}  // namespace hooksmtpd::mail
