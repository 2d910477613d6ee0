#include "daemon/sys/about.h"

#include <algorithm>

namespace hooksmtpd::sys {
namespace {

constexpr char kSeparator = '\x1f';    // of units, as ASCII has it
constexpr std::size_t kLongest = 128;  // a name has at most 32 octets, an id of ours fewer than this

bool is_name(std::string_view text) {
  const auto plain = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return text.size() <= kLongest && std::ranges::all_of(text, plain);
}

}  // namespace

std::string with_about(const About& about, std::string_view text) {
  std::string line;
  for (const std::string_view field : {about.session, about.transaction, about.hook}) {
    line += kSeparator;
    line += field;
  }
  line += kSeparator;
  return line.append(text);
}

AboutLine split_about(std::string_view line) {
  AboutLine result{.about = {}, .text = line};
  for (std::string_view* field : {&result.about.session, &result.about.transaction, &result.about.hook}) {
    if (!result.text.starts_with(kSeparator)) return {.about = {}, .text = line};
    result.text.remove_prefix(1);
    const std::size_t end = result.text.find(kSeparator);
    if (end == std::string_view::npos) return {.about = {}, .text = line};
    if (const std::string_view value = result.text.substr(0, end); is_name(value)) *field = value;
    result.text.remove_prefix(end);
  }
  result.text.remove_prefix(1);
  return result;
}

}  // namespace hooksmtpd::sys
