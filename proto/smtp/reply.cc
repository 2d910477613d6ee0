#include "proto/smtp/reply.h"

#include <algorithm>
#include <cassert>

#include "proto/smtp/limits.h"

namespace hooksmtpd::smtp {
namespace {

constexpr char clean(char c) {
  if (static_cast<unsigned char>(c) > 127) return '?';
  return c < ' ' || c == 127 ? ' ' : c;
}

void append_line(std::string& wire, int code, char separator, std::string_view enhanced, std::string_view text) {
  const std::size_t begin = wire.size();
  wire += std::to_string(code);
  wire += separator;
  wire += enhanced;
  if (!enhanced.empty() && !text.empty()) wire += ' ';
  const std::size_t room = kMaxReplyLine - 2 - (wire.size() - begin);
  std::ranges::transform(text.substr(0, room), std::back_inserter(wire), clean);
  wire += "\r\n";
}

// "5.7.1" (RFC 3463 §2).
bool is_enhanced_code(std::string_view word) {
  return std::ranges::count(word, '.') == 2 && !word.starts_with('.') && !word.ends_with('.') &&
         word.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

Reply Reply::make(int code, std::string_view enhanced, std::span<const std::string> lines) {
  assert(code >= 200 && code <= 599);
  assert(enhanced.empty() || (enhanced.front() == static_cast<char>('0' + code / 100) && enhanced.size() <= 11));
  Reply reply;
  const std::size_t count = std::clamp<std::size_t>(lines.size(), 1, kMaxReplyLines);
  for (std::size_t i = 0; i < count; ++i) {
    append_line(reply.wire_, code, i + 1 < count ? '-' : ' ', enhanced, i < lines.size() ? lines[i] : std::string());
  }
  return reply;
}

Reply Reply::make(int code, std::string_view enhanced, std::string_view line) {
  const std::string lines[] = {std::string(line)};
  return make(code, enhanced, lines);
}

std::string without_enhanced_codes(std::string_view wire) {
  constexpr std::size_t kCode = 4;  // with the space or hyphen behind it
  std::string plain;
  while (!wire.empty()) {
    const std::string_view line = wire.substr(0, std::min(wire.find('\n'), wire.size() - 1) + 1);
    wire.remove_prefix(line.size());
    std::string_view text = line.substr(kCode);
    const std::string_view word = text.substr(0, text.find_first_of(" \r"));
    if (is_enhanced_code(word) && word.front() == line.front()) {
      text.remove_prefix(word.size());
      if (text.starts_with(' ')) text.remove_prefix(1);
    }
    (plain += line.substr(0, kCode)) += text;
  }
  return plain;
}

int code_of(std::string_view wire) {
  assert(wire.size() >= 3);
  return (wire[0] - '0') * 100 + (wire[1] - '0') * 10 + (wire[2] - '0');
}

}  // namespace hooksmtpd::smtp
