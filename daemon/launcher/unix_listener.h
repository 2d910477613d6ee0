// A listening socket with a name in the file system, for clients on this machine.

#pragma once

#include <sys/types.h>

#include <filesystem>

#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

// Binds and listens, non-blocking. Who may connect, `mode` says (0666, 0660); the socket belongs to the owner and the
// group of its folder, which must be root's or our own, and sticky where all may write to it. A socket that nobody
// listens on any more is removed first. Throws StartError, with the way out. As root it needs CAP_SETUID and
// CAP_SETGID.
sys::Fd bind_unix(const std::filesystem::path& path, mode_t mode, int backlog);

}  // namespace hooksmtpd::launcher
