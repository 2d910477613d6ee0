#include "daemon/ctl/terminal_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "proto/mail/utf8.h"

namespace hooksmtpd::ctl {
namespace {

bool is_unseen(char32_t c) {
  return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
         (c >= 0xe0000 && c <= 0xe0fff);
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

std::string shown(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [character, length] = mail::first_character(text);
    if (length == 0 || character < 0x20 || character == 0x7f) {
      const auto octet = static_cast<unsigned char>(text.front());
      out += octet == '\n' ? "\\n" : octet == '\r' ? "\\r" : octet == '\t' ? "\\t" : fmt::format("\\x{:02x}", octet);
    } else if (is_unseen(character)) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character));
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string shown_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\t\n"), text.size());
    std::string_view piece = text.substr(0, end);
    const bool ends_line = end < text.size() && text[end] == '\n';
    if (ends_line && piece.ends_with('\r')) piece.remove_suffix(1);
    out += shown(piece);
    if (end < text.size()) out += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool colours_on(int descriptor) {
  return ::isatty(descriptor) == 1 && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

}  // namespace hooksmtpd::ctl
