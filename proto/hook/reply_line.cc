#include "proto/hook/reply_line.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "proto/hook/printable.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::hook::reply_line {
namespace {

// What is kept as JSON; a tree of MIME parts comes from the mime hook only.
constexpr std::array<std::string_view, 3> kAsJson = {"notes", "add_headers", "mime"};

std::string_view hint_for(std::string_view line) {
  if (line.starts_with("{'")) return "this looks like Python's own notation, use json.dumps()";
  if (line.starts_with('{')) return "it begins like JSON but is not a JSON object on one line";
  return "messages belong on stderr";
}

}  // namespace

std::string_view trim(std::string_view line) {
  const std::size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

bool begins_like_json(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '{';
}

std::expected<ReplyFields, ReplyError> parse_object(std::string_view line, Speaker speaker) {
  if (!mail::is_utf8(line)) return broken({}, "the reply is not UTF-8");
  const bool mime = speaker == Speaker::kMimeHook;
  const std::size_t max_depth = mime ? kMaxMimeDepth : kMaxDepth;
  auto fields = ReplyFields::parse(line, std::span(kAsJson).first(mime ? 3 : 2), max_depth);
  if (fields) return std::move(*fields);
  if (fields.error() == ObjectError::kNoObject) return stray(line);
  return broken({}, fmt::format("the reply is nested deeper than {} levels", max_depth));
}

std::unexpected<ReplyError> stray(std::string_view line, std::string_view hint) {
  if (hint.empty()) hint = hint_for(line);
  return std::unexpected(ReplyError{.kind = ReplyError::kStray,
                                    .text = fmt::format("stray line on stdout, skipped; {}", hint),
                                    .quote = printable(line)});
}

std::unexpected<ReplyError> broken(std::optional<RequestId> id, std::string text) {
  return std::unexpected(ReplyError{.kind = ReplyError::kBroken, .id = id, .text = std::move(text)});
}

}  // namespace hooksmtpd::hook::reply_line
