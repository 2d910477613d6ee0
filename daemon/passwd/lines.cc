#include "daemon/passwd/lines.h"

#include <algorithm>

namespace hooksmtpd::passwd {

namespace {

bool belongs_to(std::string_view line, std::string_view user) { return line.substr(0, line.find(':')) == user; }

// Calls visit(line) for each, without the line feed.
template <class Visit>
void each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::optional<std::string_view> line_of(std::string_view text, std::string_view user) {
  std::optional<std::string_view> found;
  each_line(text, [&](std::string_view line) {
    if (!found && belongs_to(line, user)) found = line;
  });
  return found;
}

std::string with_line(std::string_view text, std::string_view user, std::string_view line) {
  std::string result;
  bool placed = false;
  const auto add = [&result](std::string_view one) { (result += one) += '\n'; };
  each_line(text, [&](std::string_view old) {
    if (!belongs_to(old, user)) return add(old);
    if (!placed) add(line);
    placed = true;
  });
  if (!placed) add(line);
  return result;
}

std::string without_line(std::string_view text, std::string_view user) {
  std::string result;
  each_line(text, [&](std::string_view line) {
    if (!belongs_to(line, user)) (result += line) += '\n';
  });
  return result;
}

}  // namespace hooksmtpd::passwd
