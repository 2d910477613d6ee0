#include "hooks/mime/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "hooks/mime/encoded_words.h"
#include "hooks/mime/field_text.h"
#include "hooks/mime/line_reader.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::mime {
namespace {

// RFC 5322 §3.6, RFC 2045 §3: once in a header.
constexpr auto kOnce = std::to_array<std::string_view>({"bcc", "cc", "content-description", "content-disposition",
                                                        "content-id", "content-transfer-encoding", "content-type",
                                                        "date", "from", "in-reply-to", "message-id", "mime-version",
                                                        "references", "reply-to", "sender", "subject", "to"});

bool is_name_octet(char c) { return c > ' ' && c < '\x7f' && c != ':'; }

struct Colon {
  std::size_t at;    // npos: none
  std::size_t name;  // octets of the name before it
};

Colon find_colon(std::string_view line) {
  const std::size_t at = line.find(':');
  if (at == std::string_view::npos) return {at, 0};
  return {at, line.substr(0, at).find_last_not_of(" \t") + 1};  // blanks between them: obsolete (RFC 5322 §4.5)
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

LineKind kind_of(std::string_view line) {
  const std::string_view text = without_line_end(line);
  if (text.empty()) return LineKind::kBlank;
  if (text.front() == ' ' || text.front() == '\t') return LineKind::kContinuation;
  const Colon colon = find_colon(text);
  if (colon.at == std::string_view::npos) return LineKind::kNoColon;
  const bool good = colon.name > 0 && std::ranges::all_of(text.substr(0, colon.name), is_name_octet);
  return good ? LineKind::kField : LineKind::kBadName;
}

void Header::add_field(std::string_view line) {
  const Colon colon = find_colon(line);
  const std::string_view value = line.substr(colon.at + 1);
  spans_.push_back({.begin = static_cast<std::uint32_t>(text_.size()),
                    .name = static_cast<std::uint32_t>(colon.at),
                    .value = static_cast<std::uint32_t>(value.size())});
  text_.append(line.substr(0, colon.at)).append(value);
}

void Header::add_continuation(std::string_view line) {
  text_.append(line);
  spans_.back().value += static_cast<std::uint32_t>(line.size());
}

Field Header::operator[](std::size_t i) const {
  const Span& span = spans_[i];
  const std::string_view text = text_;
  return {.name = trimmed(text.substr(span.begin, span.name)),
          .raw = without_line_end(text.substr(span.begin + span.name, span.value))};
}

std::optional<std::string_view> Header::find(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i) {
    const Field field = (*this)[i];
    if (same_name(field.name, name)) return field.raw;
  }
  return std::nullopt;
}

void Header::check(bool utf8, Defects& defects) const {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < size(); ++i) {
    const Field field = (*this)[i];
    const auto once = std::ranges::find_if(kOnce, [&](std::string_view name) { return same_name(name, field.name); });
    if (once != kOnce.end() && !seen.insert(*once).second) {
      defects.add(fmt::format("the header field {} comes more than once", in_quotes(field.name)));
    }
    if (spans_[i].name != field.name.size()) {
      defects.add(fmt::format("blanks between the name {} and its colon", in_quotes(field.name)));
    }
    check(field.name, std::string_view(text_).substr(spans_[i].begin + spans_[i].name, spans_[i].value), utf8, defects);
  }
}

void Header::check(std::string_view name, std::string_view raw, bool utf8, Defects& defects) {
  if (raw.contains('\0')) defects.add(fmt::format("NUL in the header field {}", in_quotes(name)));
  for (std::size_t at = raw.find_first_of("\r\n"); at != std::string_view::npos; at = raw.find_first_of("\r\n", at)) {
    if (raw.substr(at).starts_with("\r\n")) {
      at += 2;
      continue;
    }
    defects.add(raw[at] == '\n' ? "LF without CR in the header"
                                : fmt::format("CR without LF in the header field {}", in_quotes(name)));
    ++at;
  }
  const DecodedText words = decode_words(unfolded(raw));
  for (const std::string& sentence : words.defects.sentences()) {
    defects.add(fmt::format("the header field {}: {}", in_quotes(name), sentence));
  }
  if (mail::is_ascii(raw)) return;
  if (!mail::is_utf8(raw)) {
    defects.add(fmt::format("the header field {} is neither ASCII nor UTF-8", in_quotes(name)));
  } else if (!utf8) {
    defects.add(fmt::format("the header field {} is not ASCII, and the client did not say SMTPUTF8 (RFC 6531)",
                            in_quotes(name)));
  }
}

}  // namespace hooksmtpd::mime
