// How long what a client sends may be, in octets. The line it comes in has a bound of its own (RFC 4954 §4: 12288).

#pragma once

#include <cstddef>
#include <string_view>

#include "proto/sasl/password_file.h"

namespace hooksmtpd::sasl {

inline constexpr std::size_t kMaxPassword = 1024;
inline constexpr std::size_t kMaxToken = 8192;
inline constexpr std::size_t kMaxClientNonce = 256;
inline constexpr std::size_t kMaxScramMessage = 2048;

// A name that a client may claim. NUL ends a field in PLAIN, and nobody's name has one.
inline bool is_name(std::string_view user) {
  return !user.empty() && user.size() <= kMaxUser && user.find('\0') == user.npos;
}

// An empty password is none (RFC 4616 §2): whoever judges should not have to think of it.
inline bool is_password(std::string_view password) {
  return !password.empty() && password.size() <= kMaxPassword && password.find('\0') == password.npos;
}

}  // namespace hooksmtpd::sasl
