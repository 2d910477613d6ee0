#include "proto/smtp/xtext.h"

namespace hooksmtpd::smtp {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

// xchar: it stands for itself.
constexpr bool is_plain(char c) { return c >= '!' && c <= '~' && c != '+' && c != '='; }

}  // namespace

std::optional<std::string> decode_xtext(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) {
      plain += text[i];
      continue;
    }
    if (text[i] != '+' || text.size() - i < 3) return std::nullopt;
    const std::size_t high = kDigits.find(text[i + 1]);
    const std::size_t low = kDigits.find(text[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    plain += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return plain;
}

std::string encode_xtext(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_plain(c)) {
      encoded += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      encoded.append(1, '+').append(1, kDigits[octet >> 4]).append(1, kDigits[octet & 15]);
    }
  }
  return encoded;
}

}  // namespace hooksmtpd::smtp
