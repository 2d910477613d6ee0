// Where the daemon's control socket is.

#pragma once

#include <filesystem>
#include <string>

namespace hooksmtpd::ctl {

// The first that holds of: `option` (--socket), $HOOKSMTPD_CONTROL, control.sock in $HOOKSMTPD_RUNTIME_DIR, in the
// runtime folder that a daemon of this user has by default, and, where that has none, in the system's.
std::filesystem::path socket_path(const std::string& option);

}  // namespace hooksmtpd::ctl
