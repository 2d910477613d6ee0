// What the launcher takes while it may, beside sockets and folders: descriptors, and ways to talk to who started us.

#pragma once

#include <sys/resource.h>

#include <chrono>
#include <optional>

#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

// Raises RLIMIT_NOFILE as far as we may: every connection takes a descriptor. Returns what it was, for the hooks.
rlimit raise_open_files();

// A datagram socket connected to $NOTIFY_SOCKET (sd_notify(3)); invalid where there is none.
sys::Fd connect_notify_socket();

// How long systemd waits for a WATCHDOG=1 ($WATCHDOG_USEC, sd_watchdog_enabled(3)); none: it does not.
std::optional<std::chrono::milliseconds> watchdog_time();

// The directory of a procfs; pids in it are those of the namespace we are in. One of our own where we may mount, which
// needs CAP_SYS_ADMIN: /proc may be mounted so that only root sees others in it (systemd's ProtectProc=).
sys::Fd open_proc();

}  // namespace hooksmtpd::launcher
