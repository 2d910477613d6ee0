// What a client claimed in one AUTH command. Whoever holds one holds a secret: it is shown to the judge and to nobody
// else, never logged, and wiped in the end.

#pragma once

#include <string>

#include "proto/sasl/mechanism.h"

namespace hooksmtpd::sasl {

// Bytes as the client sent them: not shown to be UTF-8, and no SASLprep was done.
struct Credentials {
  Mechanism mechanism = Mechanism::kPlain;
  std::string authorization_id;  // whom it wants to act as (RFC 4422 §3.4.1); empty: itself
  std::string user;       // who it says it is. OAUTHBEARER: the same as authorization_id, empty if there was none
  std::string password;   // PLAIN, LOGIN
  std::string token;      // XOAUTH2, OAUTHBEARER: what stood after "Bearer "
  std::string challenge;  // CRAM-MD5: what the server had sent
  std::string digest;     // CRAM-MD5: what the client made of it, 32 digits of lower-case hex

  Credentials() = default;
  explicit Credentials(Mechanism by) : mechanism(by) {}
  Credentials(const Credentials&) = default;
  Credentials(Credentials&&) = default;
  Credentials& operator=(const Credentials&) = default;
  Credentials& operator=(Credentials&&) = default;
  ~Credentials();

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

}  // namespace hooksmtpd::sasl
