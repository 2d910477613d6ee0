// The certificate that we make ourselves, with a certificate authority for this machine alone: for `tls init`, and by
// itself where a listener speaks TLS and no certificate is configured.
//
//   FOLDER/ca.pem      0644  whoever trusts this one trusts the server
//   FOLDER/ca-key.pem  0600  nobody needs it but the next renewal
//   FOLDER/cert.pem    0644
//   FOLDER/key.pem     0640  its group is the keyholder's, so that a reload can read it; a plain user's is 0600
//
// `tls make` (daemon/tls) decides what is new, without a privilege or a file; here its files are read and written, in a
// process of its own: no key comes into this one.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/load.h"
#include "daemon/launcher/drop.h"
#include "daemon/launcher/programs.h"

namespace hooksmtpd::launcher {

struct CertificateFiles {
  std::filesystem::path ca, ca_key, certificate, key;
};
CertificateFiles certificate_files(const std::filesystem::path& folder);
// Below state_dir: of the certificate that is made by itself.
std::filesystem::path certificate_folder(const config::Config& config);

struct CertificateOrder {
  std::filesystem::path folder;    // made where it is missing
  std::vector<std::string> hosts;  // names and addresses beside those of this machine
  bool new_authority = false;      // even if there is one
};

struct MadeCertificate {
  bool new_authority = false;
  bool new_certificate = false;
  std::string why;                 // it is new; empty: nothing is
  std::vector<std::string> notes;  // what could not be had
};

// Makes what is missing and renews what has less than 30 days or other names. Throws StartError. As root it needs
// CAP_SETUID and CAP_SETGID.
MadeCertificate make_certificate(const CertificateOrder& order, const Identity& keyholder, const Programs& programs);

// Puts it into a configuration that speaks TLS and names no certificate, and says that it was read. Where there is none
// yet, nothing happens.
void use_local_certificate(config::Loaded& loaded);

}  // namespace hooksmtpd::launcher
