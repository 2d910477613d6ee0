#include "hooks/maildir/subject.h"

#include <algorithm>

namespace hooksmtpd::maildir {
namespace {

constexpr std::string_view kName = "subject:";
constexpr std::string_view kBlank = " \t";

// Cuts a line off, without its line end.
std::string_view next_line(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_subject(std::string_view line) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return line.size() >= kName.size() && std::ranges::equal(line.substr(0, kName.size()), kName, same);
}

}  // namespace

std::string subject_of(std::string_view message) {
  while (!message.empty()) {
    const std::string_view line = next_line(message);
    if (line.empty()) break;  // the body begins
    if (!is_subject(line)) continue;
    std::string subject(line.substr(kName.size()));
    while (!message.empty() && kBlank.contains(message.front())) subject += next_line(message);
    subject.erase(0, std::min(subject.find_first_not_of(kBlank), subject.size()));
    subject.erase(subject.find_last_not_of(kBlank) + 1);
    return subject;
  }
  return {};
}

}  // namespace hooksmtpd::maildir
