#include "proto/hook/json_writer.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "proto/mail/utf8.h"

namespace hooksmtpd::hook {
namespace {

using namespace std::string_view_literals;

// What stands for itself between the quotes of a JSON string, by octet.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = ' '; c <= '~'; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

// The second character of an escape of two (RFC 8259 §7), or 0. Mail is full of CR and LF.
char short_escape(char32_t code_point) {
  switch (code_point) {
    case '"':
    case '\\':
      return static_cast<char>(code_point);
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

std::size_t plain_prefix(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && kPlain[static_cast<unsigned char>(text[length])]) ++length;
  return length;
}

}  // namespace

bool JsonWriter::wants_comma() const {
  if (out_.empty()) return false;
  const char last = out_.back();
  return last != '{' && last != '[' && last != ':';
}

void JsonWriter::comma() {
  if (wants_comma()) out_ += ',';
}

// A key and its value as it is written, in quotes or not: at once, since requests are made of little else.
void JsonWriter::member(std::string_view name, std::string_view value, bool quotes) {
  const bool separated = wants_comma();
  const std::size_t before = out_.size();
  const std::size_t size = before + (separated ? 4 : 3) + name.size() + (quotes ? 2 : 0) + value.size();
  out_.resize_and_overwrite(size, [&](char* text, std::size_t) {  // of GCC 12 the second is the capacity
    char* at = text + before;
    if (separated) *at++ = ',';
    *at++ = '"';
    at = std::ranges::copy(name, at).out;
    *at++ = '"';
    *at++ = ':';
    if (quotes) *at++ = '"';
    at = std::ranges::copy(value, at).out;
    if (quotes) *at = '"';
    return size;
  });
}

void JsonWriter::key(std::string_view key, std::string_view suffix) {
  comma();
  out_ += '"';
  out_.append(key).append(suffix).append("\":"sv);
}

void JsonWriter::begin_object() {
  comma();
  out_ += '{';
}

void JsonWriter::begin_object(std::string_view name) {
  key(name);
  out_ += '{';
}

void JsonWriter::begin_array(std::string_view name) {
  key(name);
  out_ += '[';
}

void JsonWriter::number(std::string_view name, std::uint64_t value) {
  const fmt::format_int digits(value);
  member(name, {digits.data(), digits.size()}, false);
}

void JsonWriter::boolean(std::string_view name, bool value) {
  key(name);
  out_ += value ? "true" : "false";
}

void JsonWriter::text(std::string_view name, std::string_view value) {
  if (plain_prefix(value) == value.size()) return member(name, value, true);  // nearly always
  if (!mail::is_utf8(value)) {
    key(name, "_b64");
    quoted_base64(value);
  }
  key(name);
  quoted(value);
}

void JsonWriter::text(std::string_view value) {
  comma();
  quoted(value);
}

void JsonWriter::base64(std::string_view value) {
  comma();
  quoted_base64(value);
}

void JsonWriter::base64(std::string_view name, std::string_view value) {
  key(name);
  quoted_base64(value);
}

void JsonWriter::members(std::string_view written) {
  comma();
  out_ += written;
}

void JsonWriter::written(std::string_view name, std::string_view value) {
  key(name);
  out_ += value;
}

void JsonWriter::literal(std::string_view value) {
  comma();
  out_ += value;
}

void JsonWriter::begin_array() {
  comma();
  out_ += '[';
}

void JsonWriter::name(std::string_view key) {
  comma();
  quoted(key);
  out_ += ':';
}

// Octets above 127 stand only inside strings, control characters only outside: no need to know where we are, but for
// spaces.
void JsonWriter::json(std::string_view name, std::string_view value) {
  key(name);
  bool in_string = false;
  while (!value.empty()) {
    const auto [code_point, length] = mail::first_character(value);
    if (length != 1) {
      escape(length == 0 ? U'\ufffd' : code_point);
      value.remove_prefix(length == 0 ? 1 : length);
      continue;
    }
    const char c = value.front();
    if (c == '"') in_string = !in_string;
    const bool escaped = c == '\\' && value.size() > 1;
    if (c == '\x7f') {
      escape(0x7f);
    } else if (c > ' ' || (c == ' ' && in_string)) {
      out_.append(value.substr(0, escaped ? 2 : 1));
    }
    value.remove_prefix(escaped ? 2 : 1);
  }
}

void JsonWriter::begin_text(std::string_view name) {
  key(name);
  out_ += '"';
}

void JsonWriter::quoted(std::string_view value) {
  out_ += '"';
  more_text(value);
  out_ += '"';
}

void JsonWriter::more_text(std::string_view value) {
  while (true) {
    const std::size_t plain = plain_prefix(value);
    out_.append(value.substr(0, plain));
    value.remove_prefix(plain);
    if (value.empty()) return;
    const auto [code_point, length] = mail::first_character(value);
    escape(length == 0 ? U'\ufffd' : code_point);
    value.remove_prefix(length == 0 ? 1 : length);
  }
}

void JsonWriter::quoted_base64(std::string_view value) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out_ += '"';
  while (!value.empty()) {
    const std::string_view group = value.substr(0, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) out_ += i <= group.size() ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=';
    value.remove_prefix(group.size());
  }
  out_ += '"';
}

// One character that does not stand for itself (RFC 8259 §7): beyond the first plane as two surrogates.
void JsonWriter::escape(char32_t code_point) {
  const auto unit = [this](char32_t value) {
    fmt::format_to(std::back_inserter(out_), FMT_COMPILE("\\u{:04x}"), static_cast<std::uint32_t>(value));
  };
  if (const char second = short_escape(code_point); second != 0) {
    out_.append(1, '\\').append(1, second);
  } else if (code_point < 0x10000) {
    unit(code_point);
  } else {
    unit(0xd800 + ((code_point - 0x10000) >> 10));
    unit(0xdc00 + ((code_point - 0x10000) & 0x3ff));
  }
}

std::size_t escaped_size(std::string_view text) {
  std::size_t size = 0;
  while (true) {
    const std::size_t plain = plain_prefix(text);
    text.remove_prefix(plain);
    size += plain;
    if (text.empty()) return size;
    const auto [code_point, length] = mail::first_character(text);
    size += length != 0 && short_escape(code_point) != 0 ? 2 : length == 4 ? 12 : 6;
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

}  // namespace hooksmtpd::hook
