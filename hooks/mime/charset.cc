#include "hooks/mime/charset.h"

#include <gmime/gmime.h>
#include <iconv.h>

#include <array>
#include <cerrno>
#include <memory>

namespace hooksmtpd::mime {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

class Converter {
 public:
  explicit Converter(const char* charset) : handle_(::iconv_open("UTF-8", charset)) {}
  Converter(const Converter&) = delete;
  ~Converter() {
    if (known()) ::iconv_close(handle_);
  }
  bool known() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  Decoded convert(std::string_view octets) {
    Decoded decoded;
    std::array<char, 16 * 1024> buffer;
    char* in = const_cast<char*>(octets.data());  // iconv(3) does not write there
    std::size_t left = octets.size();
    while (true) {
      char* out = buffer.data();
      std::size_t room = buffer.size();
      // Without input it gives back what a stateful charset still owes.
      const std::size_t done =
          left > 0 ? ::iconv(handle_, &in, &left, &out, &room) : ::iconv(handle_, nullptr, nullptr, &out, &room);
      const int error = done == static_cast<std::size_t>(-1) ? errno : 0;
      decoded.text.append(buffer.data(), static_cast<std::size_t>(out - buffer.data()));
      if (error == E2BIG) continue;
      if (error != 0 && left > 0) {  // an octet that is not of this charset, or the text ends within a character
        decoded.faithful = false;
        decoded.text += kReplacement;
        ++in;
        --left;
        continue;
      }
      if (left == 0) return decoded;
    }
  }

 private:
  iconv_t handle_;
};

}  // namespace

Decoded to_utf8(std::string_view octets, const std::string& charset) {
  const char* const name =
      charset.empty() || charset == "us-ascii" ? "utf-8" : g_mime_charset_iconv_name(charset.c_str());
  Converter converter(name);
  if (converter.known()) return converter.convert(octets);
  Decoded decoded = Converter("UTF-8").convert(octets);
  decoded.known = false;
  return decoded;
}

}  // namespace hooksmtpd::mime
