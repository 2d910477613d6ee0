// TLS as the start has to do with it: a certificate where none is configured.

#pragma once

#include <string>
#include <vector>

#include "config/load.h"
#include "daemon/launcher/identities.h"
#include "daemon/launcher/programs.h"

namespace hooksmtpd::launcher {

// Where a listener speaks TLS and no certificate is configured: makes one below state_dir, or renews it, and puts it
// into the configuration. Returns what to tell people about it. Throws StartError. As root it needs CAP_SETUID and
// CAP_SETGID.
std::vector<std::string> ensure_certificate(config::Loaded& loaded, const Identities& identities,
                                            const Programs& programs);

}  // namespace hooksmtpd::launcher
