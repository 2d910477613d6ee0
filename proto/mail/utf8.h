// UTF-8 (RFC 3629), read one character at a time: no overlong forms, no surrogates, nothing above U+10FFFF.

#pragma once

#include <cstddef>
#include <string_view>

namespace hooksmtpd::mail {

struct Utf8Character {
  char32_t code_point = 0;
  std::size_t length = 0;  // in octets; 0: the text does not begin with a character
};

// The character that `text`, which is not empty, begins with.
Utf8Character first_character(std::string_view text);

bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);

// UTF-8 that may stand in a line of text: no control characters, neither those of ASCII nor U+0080–U+009F, and none of
// the two line ends of Unicode (U+2028, U+2029).
bool is_utf8_text(std::string_view text);

}  // namespace hooksmtpd::mail
