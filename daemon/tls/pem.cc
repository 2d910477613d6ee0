#include "daemon/tls/pem.h"

namespace hooksmtpd::tls {

PemContents look_at(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  PemContents found;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    if (at != 0 && text[at - 1] != '\n') continue;
    const std::string_view rest = text.substr(at + kBegin.size());
    const std::string_view label = rest.substr(0, rest.find("-----"));
    if (label.ends_with("PRIVATE KEY")) {
      ++found.keys;
    } else if (label.ends_with("CERTIFICATE")) {
      ++found.certificates;
    } else {
      ++found.others;
    }
  }
  return found;
}

std::string not_pem(std::string_view text) {
  if (text.empty()) return "is empty";
  // A DER SEQUENCE of more than 127 octets: a certificate, a key or a PKCS #12 bag.
  if (text.starts_with("\x30\x82")) {
    return "is binary (DER or PKCS #12), not PEM: convert it with openssl x509, openssl pkey or openssl pkcs12";
  }
  return "is not a PEM file: there is no line that begins with -----BEGIN";
}

}  // namespace hooksmtpd::tls
