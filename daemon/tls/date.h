// A certificate's dates for people.

#pragma once

#include <openssl/asn1.h>

#include <string>

namespace hooksmtpd::tls {

// "2027-01-02 03:04:05 UTC".
std::string date(const ASN1_TIME* time);

}  // namespace hooksmtpd::tls
