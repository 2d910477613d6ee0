// HMAC-MD5 from two kept states instead of the key (RFC 2104 §4), so that a password file need not hold passwords.

#pragma once

#include <string>
#include <string_view>

#include "proto/sasl/password_file.h"

namespace hooksmtpd::sasl {

// password: after saslprep().
CramKeys derive_cram_keys(std::string_view password);

// HMAC-MD5 of the text under the password that the keys were made from, in lower-case hex (RFC 2195 §2).
std::string hmac_md5_hex(const CramKeys& keys, std::string_view text);

}  // namespace hooksmtpd::sasl
