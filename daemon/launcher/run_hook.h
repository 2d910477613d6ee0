// `hooksmtpd run-hook NAME`: one configured hook, started by hand. It has the jail, the identity, the network, the
// environment and the working directory that the daemon would give it, and our standard input, output and error.

#pragma once

#include <span>
#include <string>

#include "daemon/launcher/drop.h"
#include "daemon/launcher/keepers.h"

namespace hooksmtpd::launcher {

// Runs `argv` as the child of a keeper with that plan would run, until it ends or we do: nothing of it outlives us. We
// become `watcher` meanwhile. Returns its exit status; 128 and the signal's number if one ended it. Throws StartError.
// As root it needs CAP_SYS_ADMIN, CAP_SETPCAP, CAP_SETUID, CAP_SETGID, and CAP_NET_ADMIN for a loopback interface.
int run_hook(const KeeperPlan& plan, std::span<const std::string> argv, const Identity& watcher);

}  // namespace hooksmtpd::launcher
