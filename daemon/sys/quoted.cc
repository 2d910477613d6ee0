#include <cstdint>

#include "daemon/sys/log.h"

namespace hooksmtpd::sys {
namespace {

constexpr std::size_t kCut = 256;

// The length of the well-formed UTF-8 sequence at the front of `text` (RFC 3629 §4), 0 if there is none.
std::size_t utf8_sequence(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto tail = [&](std::size_t i, std::uint8_t low = 0x80, std::uint8_t high = 0xbf) {
    return i < text.size() && octet(i) >= low && octet(i) <= high;
  };
  const std::uint8_t first = octet(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const std::uint8_t low = first == 0xe0 ? 0xa0 : 0x80;
    const std::uint8_t high = first == 0xed ? 0x9f : 0xbf;  // no surrogates
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const std::uint8_t low = first == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xf4 ? 0x8f : 0xbf;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// What a terminal may act upon, or what turns the reading direction of the rest of the line.
bool is_unsafe(std::string_view sequence) {
  if (sequence.size() == 1) return sequence[0] < 0x20 || sequence[0] == 0x7f;
  if (sequence.size() == 2) return sequence[0] == '\xc2' && static_cast<std::uint8_t>(sequence[1]) < 0xa0;  // C1
  if (sequence.size() != 3 || sequence[0] != '\xe2') return false;
  const auto second = static_cast<std::uint8_t>(sequence[1]);
  const auto third = static_cast<std::uint8_t>(sequence[2]);
  return (second == 0x80 && ((third >= 0x8e && third <= 0x8f) || (third >= 0xa8 && third <= 0xae))) ||  // U+200E..202E
         (second == 0x81 && third >= 0xa6 && third <= 0xa9);                                            // U+2066..2069
}

void escape(std::string_view octets, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : octets) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\x";
        out += kHex[static_cast<std::uint8_t>(c) >> 4];
        out += kHex[static_cast<std::uint8_t>(c) & 15];
    }
  }
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    const std::size_t length = utf8_sequence(rest);
    const std::size_t taken = length == 0 ? 1 : length;
    if (at + taken > kCut) break;
    const std::string_view sequence = rest.substr(0, taken);
    if (length == 0 || is_unsafe(sequence)) {
      escape(sequence, out);
    } else {
      if (sequence == "\"" || sequence == "\\") out += '\\';
      out += sequence;
    }
    at += taken;
  }
  out += '"';
  if (at < text.size()) out += "...";
  return out;
}

}  // namespace hooksmtpd::sys
