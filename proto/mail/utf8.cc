#include "proto/mail/utf8.h"

#include <algorithm>

namespace hooksmtpd::mail {
namespace {

struct Lead {
  std::size_t length;
  char32_t bits;
  char32_t least;  // what a shorter form could not have said
};

Lead read_lead(unsigned char octet) {
  if (octet < 0x80) return {1, octet, 0};
  if ((octet & 0xe0) == 0xc0) return {2, octet & 0x1fu, 0x80};
  if ((octet & 0xf0) == 0xe0) return {3, octet & 0x0fu, 0x800};
  if ((octet & 0xf8) == 0xf0) return {4, octet & 0x07u, 0x10000};
  return {0, 0, 0};
}

bool is_ascii_octet(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool is_control(char32_t c) { return c < ' ' || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029; }

}  // namespace

Utf8Character first_character(std::string_view text) {
  const Lead lead = read_lead(static_cast<unsigned char>(text.front()));
  if (lead.length == 0 || lead.length > text.size()) return {};
  char32_t code_point = lead.bits;
  for (const char c : text.substr(1, lead.length - 1)) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) return {};
    code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3f);
  }
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < lead.least || code_point > 0x10ffff || surrogate) return {};
  return {code_point, lead.length};
}

bool is_ascii(std::string_view text) { return std::ranges::all_of(text, is_ascii_octet); }

bool is_utf8(std::string_view text) {
  while (true) {
    const auto ascii = std::ranges::find_if_not(text, is_ascii_octet) - text.begin();
    text.remove_prefix(static_cast<std::size_t>(ascii));
    if (text.empty()) return true;
    const auto [code_point, length] = first_character(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
}

bool is_utf8_text(std::string_view text) {
  while (!text.empty()) {
    const auto [code_point, length] = first_character(text);
    if (length == 0 || is_control(code_point)) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace hooksmtpd::mail
