// The configuration before anybody has written one: what holds when no file exists, or with --defaults.

#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>

#include "config/config.h"

namespace hooksmtpd::config {

// What the defaults need to know of the machine. This library looks nothing up itself.
struct Machine {
  std::string hostname;                            // as gethostname() says; not a domain name: "localhost" is taken
  uid_t uid = 0;                                   // 0: port 25 and system folders, else port 1025 and the user's own
  std::map<std::string, std::string> environment;  // HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR, and every HOOKSMTPD_*
  std::filesystem::path hooks;                     // the folder of the hooks that come with us:
  bool in_build_tree = false;                      // there NAME/NAME, installed NAME
};

// Loopback only, one hook, "inbox", that stores every message and shows it in a web page.
Config defaults(const Machine& machine);

// The parts of it that also hold where a file exists and leaves them out. There are no default hooks then.
Listener default_listener(const Machine& machine);

}  // namespace hooksmtpd::config
