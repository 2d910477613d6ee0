#include "hooks/mime/body_decoder.h"

#include <fmt/format.h>

namespace hooksmtpd::mime {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_hexadecimal(char c) { return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

GMimeContentEncoding parse_encoding(const std::optional<std::string>& name) {
  return name ? g_mime_content_encoding_from_string(name->c_str()) : GMIME_CONTENT_ENCODING_7BIT;
}

bool encodes(const std::optional<std::string>& name) {
  const GMimeContentEncoding encoding = parse_encoding(name);
  return encoding == GMIME_CONTENT_ENCODING_BASE64 || encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
         encoding == GMIME_CONTENT_ENCODING_UUENCODE;
}

BodyDecoder::BodyDecoder(const std::optional<std::string>& name)
    : name_(name),
      encoding_(parse_encoding(name)),
      filter_(encodes(name) ? g_mime_filter_basic_new(encoding_, /*encode=*/FALSE) : nullptr) {}

std::string_view BodyDecoder::step(std::string_view body) {
  look(body);
  return filter_ ? filter(body, /*last=*/false) : body;
}

// GMime forgets a group of base64 that has no padding.
std::string_view BodyDecoder::finish() {
  if (!filter_) return {};
  const std::size_t rest = encoding_ == GMIME_CONTENT_ENCODING_BASE64 ? base64_ % 4 : 0;
  return filter(rest == 2 ? "==" : rest == 3 ? "=" : "", /*last=*/true);
}

std::string_view BodyDecoder::filter(std::string_view body, bool last) {
  std::string in(body);  // GMime takes what it may write to
  char* out = nullptr;
  std::size_t size = 0, room = 0;
  const auto run = last ? g_mime_filter_complete : g_mime_filter_filter;
  run(filter_.get(), in.data(), in.size(), 0, &out, &size, &room);
  decoded_.assign(out, size);
  return decoded_;
}

void BodyDecoder::look(std::string_view body) {
  switch (encoding_) {
    case GMIME_CONTENT_ENCODING_BASE64:
      for (const char c : body) look_at_base64(c);
      return;
    case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
      for (const char c : body) look_at_quoted_printable(c);
      return;
    case GMIME_CONTENT_ENCODING_UUENCODE:
    case GMIME_CONTENT_ENCODING_BINARY:
      return;
    default:
      break;
  }
  for (const char c : body) {
    if (last_ == '\r' && c != '\n') bare_cr_ = true;
    if (c == '\n' && last_ != '\r') bare_lf_ = true;
    if (c == '\0') nul_ = true;
    if (static_cast<unsigned char>(c) > 127) eight_bit_ = true;
    last_ = c;
  }
}

void BodyDecoder::look_at_base64(char c) {
  const bool is_padding = c == '=';
  if (is_digit(c) || is_letter(c) || c == '+' || c == '/' || is_padding) {
    ++base64_;
    foreign_ = foreign_ || (padded_ && !is_padding);  // something behind the end
    padded_ = padded_ || is_padding;
  } else if (!is_blank(c) && c != '\r' && c != '\n') {
    foreign_ = true;
  }
}

// "=" begins two hexadecimal digits, or ends a line that goes on in the next one (RFC 2045 §6.7).
void BodyDecoder::look_at_quoted_printable(char c) {
  const auto unless = [this](bool good, Escape next) {
    foreign_ = foreign_ || !good;
    escape_ = good ? next : Escape::kNone;
  };
  switch (escape_) {
    case Escape::kNone:
      if (c == '=') escape_ = Escape::kEquals;
      if (static_cast<unsigned char>(c) > 126 || c == '\0') foreign_ = true;
      return;
    case Escape::kEquals:
      if (c == '\n') return unless(true, Escape::kNone);
      if (c == '\r') return unless(true, Escape::kCr);
      return unless(is_hexadecimal(c), Escape::kDigit);
    case Escape::kDigit:
      return unless(is_hexadecimal(c), Escape::kNone);
    case Escape::kCr:
      return unless(c == '\n', Escape::kNone);
  }
}

void BodyDecoder::report(Defects& defects) const {
  if (encoding_ == GMIME_CONTENT_ENCODING_DEFAULT) {
    defects.add(fmt::format("unknown Content-Transfer-Encoding {}: the body is left as it is", in_quotes(*name_)));
  }
  if (foreign_) {
    defects.add(encoding_ == GMIME_CONTENT_ENCODING_BASE64 ? "bad base64: octets that are none"
                                                           : "bad quoted-printable: octets that are none");
  }
  if (base64_ % 4 != 0) defects.add("bad base64: it ends within a group");
  if (escape_ == Escape::kDigit) defects.add("bad quoted-printable: it ends within an octet");
  if (nul_) defects.add("NUL in the body");
  if (bare_cr_ || last_ == '\r') defects.add("CR without LF in the body");
  if (bare_lf_) defects.add("LF without CR in the body");
  if (eight_bit_ && encoding_ == GMIME_CONTENT_ENCODING_7BIT) {
    defects.add("octets above 127 in the body, without a Content-Transfer-Encoding that allows them");
  }
}

}  // namespace hooksmtpd::mime
