// The public half of a private key that only the keyholder has. To OpenSSL it is a key that can sign; each signature is
// asked of a Signer.
//
// Every use of OpenSSL's key methods, which it calls deprecated since 3.0, stands in remote_key.cc: a provider can take
// their place there.

#pragma once

#include <expected>
#include <string>

#include "daemon/sys/signing.h"
#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

class Signer {
 public:
  virtual ~Signer() = default;
  // Called within a handshake, and waited for. Any status but kSigned makes the handshake fail; kFailed stands for
  // everything that came between us and the keyholder.
  virtual sys::SignReply sign(const sys::SignRequest& request) noexcept = 0;
};

// `signer` must outlive the key and every SSL_CTX and SSL that holds it. Fails, with a sentence that says what the key
// is, for all but RSA and the curves P-256, P-384 and P-521.
std::expected<Key, std::string> make_remote_key(EVP_PKEY* public_key, Signer& signer);

// The SHA-256 of its SubjectPublicKeyInfo. Take it from a certificate's key: a key file may spell the same point of a
// curve in another way. Throws std::runtime_error for a key that has no such form.
sys::KeyId key_id(const EVP_PKEY* key);

}  // namespace hooksmtpd::tls
