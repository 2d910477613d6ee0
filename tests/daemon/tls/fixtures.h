// Certificates and clients for the tests of TLS.

#pragma once

#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/tls/context.h"
#include "daemon/tls/facts.h"
#include "daemon/tls/openssl.h"

namespace fixtures {

using namespace hooksmtpd;

// "RSA:2048", "P-256", "P-384", "ED25519".
tls::Key new_key(const std::string& kind);

struct Wish {
  std::string key = "P-256";
  std::string common_name = "test";
  std::string names = "DNS:mail.test";  // subjectAltName; empty: none
  std::string extended_usage = {};      // "serverAuth"; empty: none
  bool authority = false;
  std::time_t begins = -3600, ends = 3600;  // seconds from now
  const char* digest = "SHA256";
};

struct Pair {
  tls::X509Ptr certificate;
  tls::Key key;
  std::string certificate_pem, key_pem;
};

// Signed by `issuer`, or by itself.
Pair make_pair(const Wish& wish = {}, const Pair* issuer = nullptr);

// The key's PEM, encrypted with a password.
std::string encrypted(const Pair& pair, const std::string& password);

// Files are "N.crt" and "N.key", N from 1.
config::Tls config_of(const std::vector<const Pair*>& pairs);

// Hands out the private keys themselves.
tls::Context::KeySource keys_of(const std::vector<const Pair*>& pairs);

struct ClientWish {
  int min_version = 0, max_version = 0;
  std::string server_name = {};
  const Pair* certificate = nullptr;
  std::string sigalgs = {};
  std::string ciphers = {};
  SSL_SESSION* resume = nullptr;
};

// What came of a handshake in memory, and of a byte each way after it.
struct Met {
  bool server = false, client = false;  // each side's handshake is done
  std::string server_error;
  tls::Facts facts;              // the server's
  std::string certificate_name;  // the common name that the server showed
  std::string signature;         // what the server signed with, as the client saw it: "RSASSA-PSS SHA256"
  int chain = 0;                 // certificates that it showed
  bool resumed = false;
  std::unique_ptr<SSL_SESSION, tls::Release<SSL_SESSION_free>> session;  // to resume
};
Met meet(const tls::Context& context, const ClientWish& wish = {});

}  // namespace fixtures
