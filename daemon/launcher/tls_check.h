// What is wrong with the certificates, judged before anything is started; `check-config` does the same.

#pragma once

#include <vector>

#include "config/load.h"
#include "daemon/launcher/identities.h"
#include "daemon/launcher/programs.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

// Runs `tls judge`, dropped to the keyholder's identity. `keys` is from read_key_files(). Nothing where no listener
// speaks TLS. Throws StartError where it cannot be run.
std::vector<config::Problem> check_tls(const config::Config& config, const sys::Fd& keys, const Identities& identities,
                                       const Programs& programs);

}  // namespace hooksmtpd::launcher
