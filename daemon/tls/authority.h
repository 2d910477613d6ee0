// A certificate authority for one machine, and the server's certificate from it.
//
// Whoever trusts the authority trusts it for little: its critical name constraints (RFC 5280 §4.2.1.10) permit
// localhost, the names and addresses of this host, and the domain `test` (RFC 6761), so that its key is of no use
// against others.

#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "daemon/tls/issue.h"

namespace hooksmtpd::tls {

// What a certificate is for. All in lower case, sorted, without duplicates.
struct HostNames {
  std::vector<std::string> names;      // "mail.test"
  std::vector<std::string> addresses;  // "192.0.2.7", "2001:db8::7"

  friend bool operator==(const HostNames&, const HostNames&) = default;
};

// Adds localhost, 127.0.0.1 and ::1, brings addresses into their shortest form, and leaves out what is neither an
// address nor a host name (RFC 1123 §2.1): those are appended to `wrong`.
HostNames tidy(const HostNames& wanted, std::vector<std::string>& wrong);

// Good for ten years. `for_host` is from tidy().
Identity make_authority(const HostNames& for_host, std::time_t now);

// Good for 397 days, the most that browsers take, but not longer than the authority. `names` must be permitted.
Identity make_certificate(const Identity& authority, const HostNames& names, std::time_t now);

// The part of `wanted` that the authority may sign for; the rest is appended to `refused`.
HostNames permitted_by(X509* authority, const HostNames& wanted, std::vector<std::string>& refused);

// What a certificate's subjectAltName says.
HostNames names_of(X509* certificate);

}  // namespace hooksmtpd::tls
