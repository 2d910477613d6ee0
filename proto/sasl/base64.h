// Base64 as RFC 4648 §4 has it, and nothing looser.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::sasl {

// nullopt for anything that base64_encode() would not have written: another alphabet, white space, missing or misplaced
// padding, bits left over after the last octet (§3.3, §3.5).
std::optional<std::string> base64_decode(std::string_view text);

std::string base64_encode(std::string_view bytes);

}  // namespace hooksmtpd::sasl
