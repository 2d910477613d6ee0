// UTF-8 (RFC 3629), read one character at a time: no overlong forms, no surrogates, nothing above U+10FFFF.

#pragma once

#include <cstddef>
#include <string_view>

namespace hooksmtpd::hook {

struct Utf8Character {
  char32_t code_point = 0;
  std::size_t length = 0;  // in octets; 0: the text does not begin with a character
};

// The character that `text`, which is not empty, begins with.
Utf8Character first_character(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace hooksmtpd::hook
