// `hooksmtpd tls init`: a certificate authority and a certificate for this machine, by hand.

#pragma once

#include "daemon/launcher/local_certificate.h"
#include "daemon/launcher/programs.h"

namespace hooksmtpd::launcher {

// /etc/hooksmtpd/tls; of a plain user $XDG_CONFIG_HOME/hooksmtpd/tls, or ~/.config/hooksmtpd/tls. Throws StartError: a
// user without either.
std::filesystem::path default_certificate_folder();

// Makes what is missing or old, prints what it did, the lines for the configuration, and how to trust it. Returns the
// exit status. Throws StartError.
int tls_init(const CertificateOrder& order, const Programs& programs);

}  // namespace hooksmtpd::launcher
