// Who runs as whom. A uid of its own for the supervisor, the worker, the keyholder and every hook: as root only; a
// plain user is one.

#pragma once

#include <vector>

#include "config/config.h"
#include "daemon/launcher/drop.h"

namespace hooksmtpd::launcher {

struct Identities {
  Identity supervisor;
  Identity worker;
  Identity keyholder;
  std::vector<Identity> hooks;  // by index in Config::hooks
  bool separate = false;        // started as root: they differ
};

// The users hooksmtpd, hooksmtpd-smtp and hooksmtpd-key, or numbers where they do not exist. A hook gets a number of
// hook_uids: the one it had before, which is the group of its state folder, else the lowest that no state folder has. A
// hook with a named user has that user's uid, and the number as its private group. Changes nothing. Throws StartError:
// a number belongs to somebody, no number is left, an unknown user, root.
Identities choose_identities(const config::Config& config);

// The keyholder's alone, whatever the configuration.
Identity keyholder_identity();

}  // namespace hooksmtpd::launcher
