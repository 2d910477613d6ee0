// What is kept of a password for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677), and how a password or a proof is held against
// it.

#pragma once

#include <string_view>

#include "proto/sasl/password_file.h"

namespace hooksmtpd::sasl {

// password: after saslprep(). Takes time in proportion to iterations, about a fifth of a microsecond each.
ScramKeys derive_scram_keys(std::string_view password, std::string_view salt, std::uint32_t iterations);

// The password is the one that the keys were made from.
bool is_password_of(const ScramKeys& keys, std::string_view password);

// ClientProof is ClientKey, masked by a signature that only the holder of the keys can make (§3).
bool is_proof_of(const ScramKeys& keys, std::string_view auth_message, std::string_view client_proof);

// ServerSignature: what shows the client that we hold its keys.
Key server_signature(const ScramKeys& keys, std::string_view auth_message);

}  // namespace hooksmtpd::sasl
