#include "daemon/launcher/tls_start.h"

#include <fmt/format.h>

#include "daemon/launcher/local_certificate.h"
#include "daemon/launcher/trust_text.h"

namespace hooksmtpd::launcher {

std::vector<std::string> ensure_certificate(config::Loaded& loaded, const Identities& identities,
                                            const Programs& programs) {
  const config::Config& config = loaded.config;
  if (!config::uses_tls(config) || !config.tls.certificates.empty()) return {};
  CertificateOrder order{.folder = certificate_folder(config), .hosts = {config.hostname}, .new_authority = false};
  for (const config::Listener& listener : config.listeners) {
    order.hosts.push_back(config::for_listener(config, listener).hostname);
  }
  const MadeCertificate made = make_certificate(order, identities.keyholder, programs);
  use_local_certificate(loaded);

  const CertificateFiles files = certificate_files(order.folder);
  std::vector<std::string> lines = what_was_made(made, files);
  if (lines.empty()) lines.push_back(fmt::format("TLS with a certificate of our own: {}", files.certificate.string()));
  for (std::string& line : how_to_trust(files)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace hooksmtpd::launcher
