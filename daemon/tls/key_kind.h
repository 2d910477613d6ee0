// Which kinds of key a certificate may have here.

#pragma once

#include <string>

#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

// Empty for RSA of 2048 to 4096 bits and ECDSA on P-256, P-384 or P-521; else what the key is and what to use instead,
// to stand behind a file's name: "has an Ed25519 key, …".
std::string unusable_because(const EVP_PKEY* key);

// "RSA, 2048 bits", "ECDSA, P-256".
std::string describe(const EVP_PKEY* key);

}  // namespace hooksmtpd::tls
