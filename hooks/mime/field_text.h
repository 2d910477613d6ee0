// What a header field says, as text.

#pragma once

#include <string>
#include <string_view>

namespace hooksmtpd::mime {

// Without the blanks and line ends around it.
std::string_view trimmed(std::string_view text);
// ASCII letters only.
std::string lower_case(std::string_view text);

// UTF-8: each octet that is none, and each NUL, is U+FFFD.
std::string valid_utf8(std::string_view octets);

// A raw value on one line, without the blanks around it (RFC 5322 §2.2.3): valid UTF-8 without NUL.
std::string unfolded(std::string_view raw);

}  // namespace hooksmtpd::mime
