// New certificates (RFC 5280) with new keys on P-256.

#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

struct Identity {
  X509Ptr certificate;
  Key key;
};

struct Extension {
  int nid;
  std::string value;  // as openssl.cnf spells it (x509v3_config(5))
};

struct CertificateRequest {
  std::string common_name;  // cut at 64 characters (RFC 5280, ub-common-name)
  std::time_t not_before, not_after;
  std::vector<Extension> extensions;
};

// Signed by `issuer`, or by its own key where that is null. The serial number is random. Throws std::runtime_error
// where OpenSSL fails.
Identity issue(const CertificateRequest& request, const Identity* issuer);

std::string to_pem(X509* certificate);
// PKCS #8, not encrypted.
std::string to_pem(EVP_PKEY* key);

}  // namespace hooksmtpd::tls
