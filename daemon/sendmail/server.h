// Where the daemon listens, and a connection to it.

#pragma once

#include <sys/types.h>
#include <string>
#include <vector>

#include "daemon/sendmail/failure.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::sendmail {

// Each "unix:/path", "host:port" or "host" (port 25). `named`, if not empty, is the only one; then $HOOKSMTPD_SERVER.
// Else for everybody the socket of the daemon that root has started and port 25 of this machine; for a plain user his
// own daemon's socket before, and its port behind: a port above 1023 may be anybody's.
std::vector<std::string> servers(const std::string& named, uid_t uid);

// The first that takes a connection. None: EX_TEMPFAIL, and why for each; EX_NOHOST for a name that does not exist.
Result<sys::Fd> connect_to(const std::vector<std::string>& servers);

}  // namespace hooksmtpd::sendmail
