#include "daemon/tls/key_kind.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include <array>
#include <string_view>

namespace hooksmtpd::tls {
namespace {

constexpr int kMinRsaBits = 2048;  // less, and OpenSSL's own security level 2 refuses the handshake
constexpr int kMaxRsaBits = 4096;  // the room in sys::SignRequest

// By the name that OpenSSL uses, the one that people use.
constexpr std::array<std::array<std::string_view, 2>, 3> kCurves{
    {{"prime256v1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}}};

std::string curve_of(const EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) != 1) return "an unnamed curve";
  for (const auto& [theirs, ours] : kCurves) {
    if (theirs == name.data()) return std::string(ours);
  }
  return name.data();
}

bool is_nist(std::string_view curve) { return curve.starts_with("P-"); }

constexpr std::string_view kAdvice = "use ECDSA (P-256, P-384) or RSA (2048 to 4096 bits)";

}  // namespace

std::string unusable_because(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (const int bits = EVP_PKEY_get_bits(key); bits < kMinRsaBits) {
        return fmt::format("has an RSA key of {} bits, which clients refuse as too short: {}", bits, kAdvice);
      } else if (bits > kMaxRsaBits) {
        return fmt::format("has an RSA key of {} bits, more than the keyholder takes: {}", bits, kAdvice);
      }
      return {};
    case EVP_PKEY_EC:
      if (const std::string curve = curve_of(key); !is_nist(curve)) {
        return fmt::format("has an ECDSA key on {}, which TLS does not know: {}", curve, kAdvice);
      }
      return {};
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
      return fmt::format("has an {} key, with which the keyholder cannot sign, and few mail clients know it: {}",
                         EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? "Ed25519" : "Ed448", kAdvice);
    case EVP_PKEY_RSA_PSS:
      return fmt::format("has a key for RSA-PSS alone, with which the keyholder cannot sign: {}", kAdvice);
    case EVP_PKEY_DSA:
      return fmt::format("has a DSA key, which TLS gave up: {}", kAdvice);
    default: {
      const char* const name = EVP_PKEY_get0_type_name(key);
      return fmt::format("has a key of type {}, which no TLS server signs with: {}", name != nullptr ? name : "unknown",
                         kAdvice);
    }
  }
}

std::string describe(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return fmt::format("RSA, {} bits", EVP_PKEY_get_bits(key));
    case EVP_PKEY_EC:
      return fmt::format("ECDSA, {}", curve_of(key));
    default: {
      const char* const name = EVP_PKEY_get0_type_name(key);
      return name != nullptr ? name : "unknown";
    }
  }
}

}  // namespace hooksmtpd::tls
