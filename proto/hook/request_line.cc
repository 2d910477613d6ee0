#include "proto/hook/request_line.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>

namespace hooksmtpd::hook {
namespace {

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

std::optional<Beginning> parse_beginning(std::string_view line) {
  Beginning request{};
  std::int64_t version = 0;
  if (!take(line, "{\"v\":") || !take(line, version) || !take(line, ",\"id\":") || !take(line, request.id) ||
      !take(line, ",\"event\":\"")) {
    return std::nullopt;
  }
  request.event = line.substr(0, line.find('"'));
  return request;
}

// There are messages in the tree of deliver_mime, before the one that counts.
std::optional<Parts> find_message(std::string_view event, std::string_view line) {
  static constexpr std::string_view kKey = ",\"message\":{";
  const std::size_t begin = event == "deliver"        ? find(line, kKey)
                            : event == "deliver_mime" ? line.rfind(kKey)
                                                      : std::string_view::npos;
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t members = begin + kKey.size();
  const std::size_t colon = line.find(":\"", members);
  const std::size_t end = line.rfind('"');
  if (colon == std::string_view::npos || end < colon + 2) return std::nullopt;
  const std::string_view before = line.substr(0, colon);
  const auto kind = kind_of(before);
  if (!kind) return std::nullopt;
  std::string_view facts = before.substr(0, before.rfind('"', before.size() - 2));
  if (facts.ends_with(',')) facts.remove_suffix(1);
  return Parts{.head = line.substr(0, begin),
               .facts = facts,
               .body = {.kind = *kind, .value = line.substr(colon + 2, end - colon - 2)}};
}

std::optional<Told> find_dialogue(std::string_view line) {
  static constexpr std::string_view kKey = ",\"dialogue\":[", kNext = "],\"reason\":";
  const std::size_t begin = find(line, kKey);
  const std::size_t end = line.rfind(kNext);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + kKey.size()) {
    return std::nullopt;
  }
  const std::size_t opening = begin + kKey.size() - 1;
  Told told{.facts = std::string(line.substr(0, begin)), .dialogue = line.substr(opening, end + 1 - opening)};
  told.facts += line.substr(end + 1);
  return told;
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

}  // namespace hooksmtpd::hook
