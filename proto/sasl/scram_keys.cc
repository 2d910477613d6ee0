#include "proto/sasl/scram_keys.h"

#include <openssl/crypto.h>

#include <string>

#include "proto/sasl/digest.h"

namespace hooksmtpd::sasl {

ScramKeys derive_scram_keys(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  Key salted_password = pbkdf2(password, salt, iterations);
  Key client_key = hmac_sha256(salted_password, "Client Key");
  ScramKeys keys{.iterations = iterations,
                 .salt = std::string(salt),
                 .stored = sha256(client_key),
                 .server = hmac_sha256(salted_password, "Server Key")};
  OPENSSL_cleanse(salted_password.data(), salted_password.size());
  OPENSSL_cleanse(client_key.data(), client_key.size());
  return keys;
}

bool is_password_of(const ScramKeys& keys, std::string_view password) {
  return equal(derive_scram_keys(password, keys.salt, keys.iterations).stored, keys.stored);
}

bool is_proof_of(const ScramKeys& keys, std::string_view auth_message, std::string_view client_proof) {
  Key client_key = hmac_sha256(keys.stored, auth_message);
  if (client_proof.size() != client_key.size()) return false;
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] ^= octets(client_proof)[i];
  const bool proven = equal(sha256(client_key), keys.stored);
  OPENSSL_cleanse(client_key.data(), client_key.size());
  return proven;
}

Key server_signature(const ScramKeys& keys, std::string_view auth_message) {
  return hmac_sha256(keys.server, auth_message);
}

}  // namespace hooksmtpd::sasl
