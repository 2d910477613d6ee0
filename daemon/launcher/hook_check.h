// Every hook's command, judged before anything is started; `check-config` does the same.

#pragma once

#include <vector>

#include "config/load.h"
#include "daemon/launcher/identities.h"
#include "daemon/launcher/layers.h"
#include "daemon/launcher/programs.h"

namespace hooksmtpd::launcher {

// Goes, in processes of their own, into the jail that each hook would get, as the user it would be, and tries its
// command there. Changes nothing. As root it needs CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP.
std::vector<config::Problem> check_hooks(const config::Config& config, const Identities& identities,
                                         const Programs& programs, const Layers& layers);

}  // namespace hooksmtpd::launcher
