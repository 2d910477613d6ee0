// The hashes that SCRAM-SHA-256 and CRAM-MD5 are made of, from libcrypto.
//
// They can fail only where memory is short, and end the process then.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "proto/sasl/password_file.h"

namespace hooksmtpd::sasl {

Key sha256(std::span<const std::uint8_t> bytes);

Key hmac_sha256(std::span<const std::uint8_t> key, std::string_view text);

// PBKDF2 with HMAC-SHA-256 and a key of 32 octets: what RFC 5802 §2.2 calls Hi().
Key pbkdf2(std::string_view password, std::string_view salt, std::uint32_t iterations);

// Takes as long whether they are equal or where they differ. False if the lengths differ.
bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

inline std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text(std::span<const std::uint8_t> octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

}  // namespace hooksmtpd::sasl
