// What the worker and the keyholder say to each other: "sign this with that key", and the signature.
//
// One packet each over a SOCK_SEQPACKET pair, of fixed size. Whoever gets any other packet is done with its peer: a
// packet that is not one of ours was sent by somebody else's code.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace hooksmtpd::sys {

// A key by the SHA-256 of its public half (SubjectPublicKeyInfo, DER): both sides can work it out from a certificate.
using KeyId = std::array<std::uint8_t, 32>;

enum class SignKind : std::uint32_t {
  kRsaPkcs1 = 1,  // data: a DigestInfo, or MD5 and SHA-1 one after the other (TLS 1.0); padded and signed
  kRsaPss,        // data: a whole block, padded by the worker after RFC 8017 §9.1.1; signed as it is
  kEcdsa,         // data: a digest
};

struct SignRequest {
  KeyId key;
  SignKind kind;
  std::uint32_t length;  // of `data` that counts; the rest is 0
  std::array<std::uint8_t, 512> data;
};

enum class SignStatus : std::uint32_t {
  kSigned = 0,
  kUnknownKey,  // not among the keys of the current or the previous configuration
  kRefused,     // not what a TLS server signs
  kTooMany,     // beyond the rate limit: this one is not signed, and not queued
  kFailed,      // OpenSSL would not
};

struct SignReply {
  SignStatus status;
  std::uint32_t length;  // of `signature` that counts; 0 unless kSigned
  std::array<std::uint8_t, 1024> signature;
};

static_assert(sizeof(SignRequest) == 552 && std::has_unique_object_representations_v<SignRequest>);
static_assert(sizeof(SignReply) == 1032 && std::has_unique_object_representations_v<SignReply>);

}  // namespace hooksmtpd::sys
