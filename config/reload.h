// What it takes to get from the running configuration to a new one.
//
// The daemon has no privilege left when it is asked to reload: it cannot bind, build a jail or change a process's user.
// Whatever needs that is refused as a whole, and named.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/config.h"

namespace hooksmtpd::config {

struct Changes {
  // "listener.smtp.address", "hook.policy.sandbox.read", "hook.policy (new)", "spool_size". Empty: a reload will do.
  std::vector<std::string> restart_needed;
  // What a reload changes: "banner", "hook.policy.timeout".
  std::vector<std::string> reloadable;
  // Of those hooks the processes must start anew, as their arguments, options or events are others now: they learn
  // these at start only. Indices into the new (and, where restart_needed is empty, also the old) Config::hooks.
  std::vector<std::size_t> hooks_to_restart;

  friend bool operator==(const Changes&, const Changes&) = default;
};

// Where something stands in a file is no difference.
Changes compare(const Config& running, const Config& wanted);

// The same where a keyholder is there, or not, whatever `running` says: it starts with the daemon or never, since there
// is no privilege left to start one, and stays when TLS is switched off.
enum class Keyholder : bool { kMissing, kThere };
Changes compare(const Config& running, const Config& wanted, Keyholder keyholder);

}  // namespace hooksmtpd::config
