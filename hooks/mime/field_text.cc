#include "hooks/mime/field_text.h"

#include "proto/mail/utf8.h"

namespace hooksmtpd::mime {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

}  // namespace

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string valid_utf8(std::string_view octets) {
  std::string valid;
  while (!octets.empty()) {
    const std::size_t length = octets.front() == '\0' ? 0 : mail::first_character(octets).length;
    valid.append(length == 0 ? "\xef\xbf\xbd" : octets.substr(0, length));
    octets.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

std::string unfolded(std::string_view raw) {
  std::string line;
  const std::string_view text = trimmed(raw);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') {
      if (!text.substr(i + 1).starts_with('\n')) line += ' ';  // a bare one, that may stand for a line end
    } else if (text[i] != '\n') {
      line += text[i];
    }
  }
  return valid_utf8(line);
}

}  // namespace hooksmtpd::mime
