#include "daemon/sendmail/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace hooksmtpd::sendmail {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_continuation(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

// mbox's separator, which some programs pipe along.
bool is_separator(std::string_view line) { return line.starts_with("From ") || line.starts_with(">From "); }

// The name that `line` begins with (§3.6.8), white space before its colon allowed (§4.5). Empty: it is no field.
std::string_view field_name(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  std::string_view name = line.substr(0, colon);
  while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
  return std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; }) ? name : std::string_view();
}

// Its length with CRLF; npos: it is not whole.
std::size_t line_length(std::string_view text) {
  const std::size_t end = text.find("\r\n");
  return end == std::string_view::npos ? end : end + 2;
}

}  // namespace

std::size_t find_header_end(std::string_view text, std::size_t from) {
  while (from < text.size()) {
    const std::size_t length = line_length(text.substr(from));
    if (length == std::string_view::npos) return length;
    const std::string_view line = text.substr(from, length);
    const bool is_header = from == 0 ? is_separator(line) || !field_name(line).empty()
                                     : is_continuation(line) || !field_name(line).empty();
    if (!is_header) return from;
    from += length;
  }
  return std::string_view::npos;
}

Header::Header(std::string_view text) {
  if (is_separator(text)) text.remove_prefix(std::min(line_length(text), text.size()));
  while (!text.empty()) {
    const std::string_view line = text.substr(0, line_length(text));
    if (is_continuation(line) && !fields_.empty()) {
      fields_.back().text += line;
    } else {
      fields_.push_back({.name = lower(field_name(line)), .text = std::string(line)});
    }
    text.remove_prefix(line.size());
  }
}

bool Header::has(std::string_view name) const {
  return std::ranges::any_of(fields_, [&, wanted = lower(name)](const Field& field) { return field.name == wanted; });
}

std::vector<std::string> Header::values(std::string_view name) const {
  std::vector<std::string> found;
  for (const Field& field : fields_) {
    if (field.name != lower(name)) continue;
    std::string value = field.text.substr(field.text.find(':') + 1);
    std::erase_if(value, [](char c) { return c == '\r' || c == '\n'; });
    found.push_back(std::move(value));
  }
  return found;
}

void Header::remove(std::string_view name) {
  std::erase_if(fields_, [wanted = lower(name)](const Field& field) { return field.name == wanted; });
}

void Header::add(std::string_view name, std::string_view value) {
  fields_.push_back({.name = lower(name), .text = fmt::format("{}: {}\r\n", name, value)});
}

bool Header::is_resent() const {
  return std::ranges::any_of(fields_, [](const Field& field) { return field.name.starts_with("resent-"); });
}

std::string Header::text() const {
  std::string out;
  for (const Field& field : fields_) out += field.text;
  return out;
}

}  // namespace hooksmtpd::sendmail
