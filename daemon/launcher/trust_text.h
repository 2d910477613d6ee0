// How clients come to trust a certificate that we made.

#pragma once

#include <string>
#include <vector>

#include "daemon/launcher/local_certificate.h"

namespace hooksmtpd::launcher {

// A line for each kind of client, with the real path of the authority's certificate.
std::vector<std::string> how_to_trust(const CertificateFiles& files);

// What was made or renewed, and why; nothing where nothing is new. Then the notes.
std::vector<std::string> what_was_made(const MadeCertificate& made, const CertificateFiles& files);

}  // namespace hooksmtpd::launcher
