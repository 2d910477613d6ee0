// Octets of some charset -> UTF-8.

#pragma once

#include <string>
#include <string_view>

namespace hooksmtpd::mime {

struct Decoded {
  std::string text;      // UTF-8; U+FFFD stands for what could not be decoded
  bool known = true;     // false: nobody knows this charset, it was taken for UTF-8
  bool faithful = true;  // false: there is a U+FFFD
};

// `charset` as in Content-Type; empty: US-ASCII, and UTF-8 if it is that.
Decoded to_utf8(std::string_view octets, const std::string& charset);

}  // namespace hooksmtpd::mime
