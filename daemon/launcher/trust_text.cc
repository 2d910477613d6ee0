#include "daemon/launcher/trust_text.h"

#include <fmt/format.h>

namespace hooksmtpd::launcher {

std::vector<std::string> how_to_trust(const CertificateFiles& files) {
  const std::string ca = files.ca.string();
  return {
      "trust it, for each client that should:",
      fmt::format("  curl:      curl --cacert {} --ssl-reqd smtp://localhost ...", ca),
      fmt::format("  Python:    ssl.create_default_context(cafile=\"{}\"), or SSL_CERT_FILE={}", ca, ca),
      fmt::format("  requests:  REQUESTS_CA_BUNDLE={}", ca),
      fmt::format("  Node:      NODE_EXTRA_CA_CERTS={}", ca),
      fmt::format("  openssl:   openssl s_client -CAfile {} -starttls smtp -connect localhost:25", ca),
      fmt::format("  Firefox, Thunderbird: Settings, Privacy & Security, Certificates, View Certificates, Authorities, "
                  "Import: {}",
                  ca),
      fmt::format("  all of this machine (Debian): cp {} /usr/local/share/ca-certificates/hooksmtpd.crt && "
                  "update-ca-certificates",
                  ca),
  };
}

std::vector<std::string> what_was_made(const MadeCertificate& made, const CertificateFiles& files) {
  std::vector<std::string> lines;
  const std::string why = made.why.empty() ? std::string() : fmt::format(" ({})", made.why);
  if (made.new_authority) {
    lines.push_back(fmt::format("made a certificate authority for this machine alone, {}, and a certificate, {}{}",
                                files.ca.string(), files.certificate.string(), why));
  } else if (made.new_certificate) {
    lines.push_back(fmt::format("renewed the certificate {}{}: who trusts {} need do nothing",
                                files.certificate.string(), why, files.ca.string()));
  }
  lines.insert(lines.end(), made.notes.begin(), made.notes.end());
  return lines;
}

}  // namespace hooksmtpd::launcher
