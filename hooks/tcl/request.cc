#include "hooks/tcl/request.h"

#include <algorithm>
#include <cstring>

namespace hooksmtpd::tcl {
namespace {

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

bool has_something_to_decode(std::string_view text) {
  return text.find('\\') != std::string_view::npos || find(text, "_b64\":") != std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> find_address(std::string_view line) {
  if (has_something_to_decode(line)) return std::nullopt;
  const std::size_t end = line.rfind('"');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const std::size_t begin = line.rfind('"', end - 1);
  if (begin == std::string_view::npos || begin == 0 || line[begin - 1] != ':') return std::nullopt;
  return line.substr(begin + 1, end - begin - 1);
}

std::optional<Envelope> find_envelope(std::string_view head) {
  if (has_something_to_decode(head)) return std::nullopt;
  const auto from = between(head, "\"from\":\"", "\"");
  const auto to = between(head, "\"to\":[\"", "\"]");
  if (!from || !to) return std::nullopt;
  return Envelope{.from = *from, .to = split(*to, "\",\"")};
}

}  // namespace hooksmtpd::tcl
