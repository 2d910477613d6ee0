// What there is to know about a connection once its handshake is done.

#pragma once

#include <string>

#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

struct Facts {
  std::string version;             // "TLSv1.3"
  std::string cipher;              // OpenSSL's name: "TLS_AES_256_GCM_SHA384"
  int bits = 0;                    // of the symmetric key
  std::string server_name;         // SNI, as the client sent it; empty: none
  std::string client_subject;      // RFC 2253, in ASCII: what is not is escaped as \XX; empty: no certificate
  std::string client_fingerprint;  // SHA-256 of the certificate, 64 lower-case hex digits
  bool client_verified = false;    // by an authority of ca_file or ca_dir
  std::string client_problem;      // why not: "self-signed certificate"; empty where verified or none was sent
};

Facts facts_of(const SSL* ssl);

}  // namespace hooksmtpd::tls
