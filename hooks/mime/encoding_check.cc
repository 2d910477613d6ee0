#include "hooks/mime/encoding_check.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace hooksmtpd::mime {
namespace {

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); }
bool is_base64(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Base64 {
 public:
  void take(char c) {
    if (is_blank(c)) return;
    if (c == '=') {
      ++padding_;
    } else if (is_base64(c)) {
      if (padding_ > 0) wrong_ = true;  // something behind the end
      ++digits_;
    } else {
      wrong_ = true;
    }
  }
  std::optional<std::string> verdict() const {
    if (wrong_) return "the base64 has octets that are not base64";
    if ((digits_ + padding_) % 4 != 0 || padding_ > 2) return "the base64 ends in the midst of a group";
    return std::nullopt;
  }

 private:
  std::uint64_t digits_ = 0, padding_ = 0;
  bool wrong_ = false;
};

class QuotedPrintable {
 public:
  void take(char c) {
    if (static_cast<unsigned char>(c) > 126) wrong_ = true;
    switch (state_) {
      case State::kText:
        if (c == '=') state_ = State::kEquals;
        return;
      case State::kEquals:  // "=XX", or "=" and blanks at the end of a line
        if (c == '\n') {
          state_ = State::kText;
        } else if (is_hex(c)) {
          state_ = State::kDigit;
        } else if (!is_blank(c)) {
          wrong_ = true;
          state_ = State::kText;
        }
        return;
      case State::kDigit:
        wrong_ = wrong_ || !is_hex(c);
        state_ = State::kText;
        return;
    }
  }
  std::optional<std::string> verdict() const {
    if (wrong_) return "the quoted-printable text has what is not quoted-printable";
    return std::nullopt;
  }

 private:
  enum class State { kText, kEquals, kDigit } state_ = State::kText;
  bool wrong_ = false;
};

template <class Check>
std::optional<std::string> check(GMimeStream* stream) {
  Check checked;
  std::array<char, 16 * 1024> buffer;
  g_mime_stream_reset(stream);
  while (true) {
    const ssize_t got = g_mime_stream_read(stream, buffer.data(), buffer.size());
    if (got <= 0) break;
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) checked.take(c);
  }
  g_mime_stream_reset(stream);
  return checked.verdict();
}

}  // namespace

std::optional<std::string> check_encoding(GMimeDataWrapper* content) {
  GMimeStream* const stream = g_mime_data_wrapper_get_stream(content);
  switch (g_mime_data_wrapper_get_encoding(content)) {
    case GMIME_CONTENT_ENCODING_BASE64:
      return check<Base64>(stream);
    case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
      return check<QuotedPrintable>(stream);
    default:
      return std::nullopt;
  }
}

}  // namespace hooksmtpd::mime
