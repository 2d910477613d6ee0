#include "hooks/tcl/request.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
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

bool has_something_to_decode(std::string_view text) {
  return text.find('\\') != std::string_view::npos || find(text, "_b64\":") != std::string_view::npos;
}

std::optional<Body::Kind> kind_of(std::string_view keys) {
  if (keys.ends_with("\"path\"")) return Body::Kind::kPath;
  if (keys.ends_with("\"data\"")) return Body::Kind::kText;
  if (keys.ends_with("\"data_b64\"")) return Body::Kind::kBase64;
  return std::nullopt;
}

std::optional<std::string> parsed(std::string_view text) {
  const auto json = nlohmann::json::parse('"' + std::string(text) + '"', nullptr, false);
  return json.is_string() ? std::optional(json.get<std::string>()) : std::nullopt;
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

// A quote in a text has a backslash, so that this stands in none. There are messages in the tree of deliver_mime,
// before the one that counts.
std::optional<Parts> find_message(std::string_view event, std::string_view line) {
  static constexpr std::string_view kKey = ",\"message\":{";
  const std::size_t begin = event == "deliver"        ? find(line, kKey)
                            : event == "deliver_mime" ? line.rfind(kKey)
                                                      : std::string_view::npos;
  if (begin == std::string_view::npos) return std::nullopt;
  std::string_view message = line.substr(begin);
  message = message.substr(message.find('{'));
  const std::size_t colon = find(message, ":\"");
  const std::size_t end = message.rfind('"');
  if (colon == std::string_view::npos || end < colon + 2) return std::nullopt;
  const auto kind = kind_of(message.substr(0, colon));
  if (!kind) return std::nullopt;
  return Parts{.head = line.substr(0, begin),
               .body = {.kind = *kind, .value = message.substr(colon + 2, end - colon - 2)}};
}

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

// Of the escapes, mail is full of those of two characters; the others are a parser's.
std::optional<std::string> unescaped(std::string_view text) {
  static constexpr std::string_view kEscapes = "nrt\"\\/", kMeanings = "\n\r\t\"\\/";
  std::string octets;
  octets.reserve(text.size());
  for (std::string_view left = text;;) {
    const std::size_t plain = std::min(left.find('\\'), left.size());
    octets += left.substr(0, plain);
    left.remove_prefix(plain);
    if (left.empty()) return octets;
    const std::size_t escape = left.size() > 1 ? kEscapes.find(left[1]) : std::string_view::npos;
    if (escape == std::string_view::npos) return parsed(text);
    octets += kMeanings[escape];
    left.remove_prefix(2);
  }
}

}  // namespace hooksmtpd::tcl
