// xtext (RFC 3461 §4): how a parameter carries text that may hold spaces, "+" and "=".
//
// "a=b c" <-> "a+3Db+20c"

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::smtp {

// nullopt: `text` is no xtext. A "+" stands before two upper-case hexadecimal digits, and nothing else needs one but
// "=", space and what is not printable ASCII. What comes out may be any octets.
std::optional<std::string> decode_xtext(std::string_view text);

std::string encode_xtext(std::string_view text);

}  // namespace hooksmtpd::smtp
