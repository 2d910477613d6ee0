#include "proto/smtp/parameter_values.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "proto/mail/utf8.h"
#include "proto/smtp/xtext.h"

namespace hooksmtpd::smtp {
namespace {

constexpr std::size_t kMaxEnvelopeId = 100;         // RFC 3461 §4.4
constexpr std::size_t kMaxOriginalRecipient = 500;  // RFC 3461 §4.2
constexpr std::size_t kMaxSecondsDigits = 9;        // RFC 2852 §4, RFC 4865 §4

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool equals_upper(std::string_view text, std::string_view upper_case) {
  return std::ranges::equal(text, upper_case, {}, upper);
}

// Digits only, as many as asked for or fewer.
std::optional<std::uint32_t> parse_number(std::string_view text, std::size_t most_digits) {
  std::uint32_t number = 0;
  if (text.empty() || text.size() > most_digits || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Takes a number of exactly `digits` digits and the separator behind it off the front of `text`.
std::optional<unsigned> take_number(std::string_view& text, std::size_t digits, std::string_view separators) {
  if (text.size() <= digits || !separators.contains(text[digits])) return std::nullopt;
  const auto number = parse_number(text.substr(0, digits), digits);
  if (number) text.remove_prefix(digits + 1);
  return number;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// EmbeddedUnicodeChar (RFC 6533 §3): "\x{" hexadecimal digits "}", in capitals and without needless zeros, for what
// cannot stand for itself. Gives its length, or 0.
std::size_t embedded_character(std::string_view text) {
  if (!text.starts_with("\\x{")) return 0;
  const std::size_t end = text.find('}');
  if (end == std::string_view::npos) return 0;
  const std::string_view digits = text.substr(3, end - 3);
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); };
  if (digits.size() < 2 || digits.size() > 6 || !std::ranges::all_of(digits, is_hex)) return 0;
  if (digits.size() > 2 && digits.front() == '0') return 0;
  std::uint32_t character = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), character, 16);
  const bool needed =
      character <= 0x20 || character == '+' || character == '=' || character == '\\' || character >= 0x7f;
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  return character != 0 && needed && !surrogate && character <= 0x10ffff ? end + 1 : 0;
}

// utf-8-addr-xtext, or utf-8-addr-unitext where UTF-8 may stand for itself (RFC 6533 §3).
bool is_utf8_address(std::string_view text, mail::Characters characters) {
  if (text.empty() || !mail::is_utf8_text(text)) return false;
  while (!text.empty()) {
    const char c = text.front();
    const bool plain = static_cast<unsigned char>(c) > 127 ? characters == mail::Characters::kUtf8
                                                           : c > ' ' && c <= '~' && c != '\\' && c != '+' && c != '=';
    const std::size_t length = plain ? 1 : embedded_character(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Atom (RFC 5322 §3.2.3), without what would end it here.
bool is_address_type(std::string_view text) {
  const auto is_atext = [](char c) {
    return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'Z') || std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c);
  };
  return !text.empty() && std::ranges::all_of(text, is_atext);
}

}  // namespace

std::optional<DeliverBy> parse_deliver_by(std::string_view value) {
  const std::size_t semicolon = value.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  std::string_view time = value.substr(0, semicolon);
  const std::string_view mode = value.substr(semicolon + 1);
  const bool negative = time.starts_with('-');
  if (negative || time.starts_with('+')) time.remove_prefix(1);
  const auto seconds = parse_number(time, kMaxSecondsDigits);
  if (!seconds || mode.empty() || mode.size() > 2) return std::nullopt;
  const bool returns = upper(mode[0]) == 'R';
  const bool trace = mode.size() == 2;
  if ((!returns && upper(mode[0]) != 'N') || (trace && upper(mode[1]) != 'T')) return std::nullopt;
  const auto magnitude = static_cast<std::int32_t>(*seconds);
  return DeliverBy{.seconds = negative ? -magnitude : magnitude, .returns = returns, .trace = trace};
}

std::optional<std::uint32_t> parse_hold_for(std::string_view value) {
  return value.starts_with('0') ? std::nullopt : parse_number(value, kMaxSecondsDigits);
}

std::optional<std::chrono::sys_seconds> parse_hold_until(std::string_view value) {
  using namespace std::chrono;
  const auto year_number = take_number(value, 4, "-");
  const auto month_number = take_number(value, 2, "-");
  const auto day_number = take_number(value, 2, "Tt");
  const auto hour = take_number(value, 2, ":");
  const auto minute = take_number(value, 2, ":");
  if (!year_number || !month_number || !day_number || !hour || !minute || value.size() < 3) return std::nullopt;
  const auto second = parse_number(value.substr(0, 2), 2);
  value.remove_prefix(2);
  if (value.starts_with('.')) {  // a part of a second
    const std::size_t end = std::min(value.find_first_not_of("0123456789", 1), value.size());
    if (end == 1) return std::nullopt;
    value.remove_prefix(end);
  }
  if (value != "Z" && value != "z") return std::nullopt;
  const year_month_day date(year(static_cast<int>(*year_number)), month(*month_number), day(*day_number));
  if (!second || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;  // 60: a leap second
  return sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second);
}

bool is_priority(std::string_view value) {
  if (value == "0") return true;
  if (value.starts_with('-')) value.remove_prefix(1);
  return value.size() == 1 && value[0] >= '1' && value[0] <= '9';
}

bool is_notify(std::string_view value) {
  constexpr std::array<std::string_view, 3> kElements{"SUCCESS", "FAILURE", "DELAY"};
  if (equals_upper(value, "NEVER")) return true;
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view element = value.substr(0, comma);
    if (std::ranges::none_of(kElements, [&](std::string_view name) { return equals_upper(element, name); }))
      return false;
    if (comma == std::string_view::npos) return true;
    value.remove_prefix(comma + 1);
  }
}

bool is_envelope_id(std::string_view value) {
  if (value.size() > kMaxEnvelopeId) return false;
  const auto text = decode_xtext(value);
  return text && is_printable(*text);
}

bool is_original_recipient(std::string_view value, mail::Characters characters) {
  const std::size_t semicolon = value.find(';');
  if (value.size() > kMaxOriginalRecipient || semicolon == std::string_view::npos) return false;
  const std::string_view type = value.substr(0, semicolon);
  const std::string_view address = value.substr(semicolon + 1);
  if (!is_address_type(type)) return false;
  if (equals_upper(type, "UTF-8")) return is_utf8_address(address, characters);
  const auto text = decode_xtext(address);
  return text && !text->empty() && is_printable(*text);
}

bool is_submitter(std::string_view value, mail::Characters characters) {
  const auto text = decode_xtext(value);
  return text && (*text == "<>" || mail::parse_mailbox(*text, characters).has_value());
}

}  // namespace hooksmtpd::smtp
