#include "daemon/launcher/tls_init.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "daemon/launcher/identities.h"
#include "daemon/launcher/start_error.h"
#include "daemon/launcher/trust_text.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;

void print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print("{}\n", line);
}

}  // namespace

fs::path default_certificate_folder() {
  if (::geteuid() == 0) return "/etc/hooksmtpd/tls";
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && config[0] == '/') {
    return fs::path(config) / "hooksmtpd/tls";
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') throw StartError(EX_USAGE, "no HOME: say where with --dir");
  return fs::path(home) / ".config/hooksmtpd/tls";
}

int tls_init(const CertificateOrder& order, const Programs& programs) {
  const CertificateFiles files = certificate_files(order.folder);
  const MadeCertificate made = make_certificate(order, keyholder_identity(), programs);
  if (!made.new_authority && !made.new_certificate) {
    fmt::print("the certificate {} is still good: nothing is changed\n", files.certificate.string());
  }
  print(what_was_made(made, files));
  fmt::print("\nfor the configuration:\n  [tls]\n  certificate = \"{}\"\n  key = \"{}\"\n\n",
             files.certificate.string(), files.key.string());
  print(how_to_trust(files));
  return std::fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

}  // namespace hooksmtpd::launcher
