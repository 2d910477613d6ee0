#include "proto/sasl/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cassert>

namespace hooksmtpd::sasl {

Key sha256(std::span<const std::uint8_t> bytes) {
  Key digest;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  assert(done == 1);
  return digest;
}

Key hmac_sha256(std::span<const std::uint8_t> key, std::string_view text) {
  Key digest;
  const auto bytes = octets(text);
  const void* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(), digest.data(), nullptr);
  assert(done);
  return digest;
}

Key pbkdf2(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  Key key;
  const auto salt_octets = octets(salt);
  const int done = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt_octets.data(),
                                     static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                                     static_cast<int>(key.size()), key.data());
  assert(done == 1);
  return key;
}

bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hooksmtpd::sasl
