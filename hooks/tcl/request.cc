#include "hooks/tcl/request.h"

#include <charconv>
#include <cstring>
#include <system_error>

namespace hooksmtpd::tcl {
namespace {

using namespace std::string_view_literals;

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take(std::string_view& text, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// As std::string_view has it, which is slower with so many quotes about.
std::size_t find(std::string_view text, std::string_view what) {
  const void* found = memmem(text.data(), text.size(), what.data(), what.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// What stands between the first `before` and the next `after`.
std::optional<std::string_view> between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t begin = find(text, before);
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin + before.size());
  const std::size_t end = find(text, after);
  if (end == std::string_view::npos) return std::nullopt;
  return text.substr(0, end);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    const std::size_t end = find(text, separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + separator.size());
  }
}

}  // namespace

std::optional<Request> parse_request(std::string_view line) {
  Request request{};
  std::int64_t version = 0;
  if (!take(line, "{\"v\":") || !take(line, version) || !take(line, ",\"id\":") || !take(line, request.id) ||
      !take(line, ",\"event\":\"")) {
    return std::nullopt;
  }
  request.event = line.substr(0, line.find('"'));
  return request;
}

std::optional<Subject> find_subject(std::string_view line) {
  if (line.find('\\') != std::string_view::npos || find(line, "_b64\":") != std::string_view::npos) return std::nullopt;
  Subject subject;
  const std::size_t end = line.rfind('"');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const std::size_t begin = line.rfind('"', end - 1);
  if (begin == std::string_view::npos || begin == 0 || line[begin - 1] != ':') return std::nullopt;
  subject.last = line.substr(begin + 1, end - begin - 1);
  if (find(line, "\"message\":{") == std::string_view::npos) return subject;
  const auto from = between(line, "\"from\":\"", "\"");
  const auto to = between(line, "\"to\":[\"", "\"],");
  if (!from || !to) return std::nullopt;
  subject.message = {.from = *from, .to = split(*to, "\",\"")};
  return subject;
}

}  // namespace hooksmtpd::tcl
