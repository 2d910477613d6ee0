#include "hooks/mime/charset.h"

#include <fmt/format.h>
#include <gmime/gmime.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "hooks/mime/field_text.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::mime {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::size_t kLongest = 64;  // octets of a charset's name, and more than any character has

const iconv_t kNone = reinterpret_cast<iconv_t>(-1);

// iconv(3) takes more than names: "utf-8//ignore" would hide what is broken.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("-_.:+()").contains(c);
  });
}

iconv_t open(const std::string& charset) {
  return is_name(charset) ? g_mime_iconv_open("UTF-8", charset.c_str()) : kNone;
}

}  // namespace

ToUtf8::ToUtf8(std::string_view charset)
    : charset_(lower_case(charset)), is_ascii_(charset_ == "us-ascii" || charset_ == "ascii") {
  handle_ = open(is_ascii_ ? "utf-8" : charset_);
  known_ = handle_ != kNone;
  if (!known_) handle_ = open("utf-8");
}

ToUtf8::~ToUtf8() { g_mime_iconv_close(handle_); }

void ToUtf8::step(std::string_view octets, std::string& utf8) {
  if (is_ascii_ && !mail::is_ascii(octets)) faithful_ = false;
  if (rest_.empty()) return convert(octets, utf8);
  rest_.append(octets);
  convert(std::exchange(rest_, {}), utf8);
}

void ToUtf8::finish(std::string& utf8) {
  for (std::size_t i = 0; i < rest_.size(); ++i) utf8 += kReplacement;
  if (!rest_.empty()) faithful_ = false;
  rest_.clear();
  // What a charset with states still owes.
  std::array<char, kLongest> buffer;
  char* out = buffer.data();
  std::size_t room = buffer.size();
  iconv(handle_, nullptr, nullptr, &out, &room);
  utf8.append(buffer.data(), buffer.size() - room);
}

void ToUtf8::convert(std::string_view octets, std::string& utf8) {
  std::array<char, 16 * 1024> buffer;
  char* in = const_cast<char*>(octets.data());  // iconv(3) does not write there
  std::size_t left = octets.size();
  while (left > 0) {
    char* out = buffer.data();
    std::size_t room = buffer.size();
    const bool failed = iconv(handle_, &in, &left, &out, &room) == static_cast<std::size_t>(-1);
    const int error = failed ? errno : 0;
    utf8.append(buffer.data(), buffer.size() - room);
    if (error == 0 || error == E2BIG) continue;
    if (error == EINVAL && left < kLongest) {
      rest_.assign(in, left);
      return;
    }
    utf8 += kReplacement;
    faithful_ = false;
    ++in;
    --left;
  }
}

void ToUtf8::report(Defects& defects) const {
  if (!known_) defects.add(fmt::format("unknown charset {}: taken for UTF-8", in_quotes(charset_)));
  if (!faithful_)
    defects.add(fmt::format("octets in the text that are not {}", known_ ? in_quotes(charset_) : "UTF-8"));
}

}  // namespace hooksmtpd::mime
