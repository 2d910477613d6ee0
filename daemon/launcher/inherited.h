// Listening sockets that whoever started us had bound: systemd's socket activation (sd_listen_fds(3)). With them a
// start needs no privilege for a low port, and a restart refuses no connection.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

struct Inherited {
  sys::Fd socket;       // listening, non-blocking, close-on-exec
  std::string name;     // of $LISTEN_FDNAMES: FileDescriptorName= of the .socket unit, by default that unit's name
  std::string address;  // "127.0.0.1:25", "unix:/run/smtp.sock"
};

// The descriptors from 3 on that $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES name, once, before anything else was
// opened; the variables go. Throws StartError where one is no listening stream socket.
std::vector<Inherited> take_inherited();

// Moves those out of `sockets` that are this listener's: by their name, or where that is no listener's name at all, by
// an address of the listener's.
std::vector<Inherited> take_for(const config::Listener& listener, std::span<const config::Listener> listeners,
                                std::vector<Inherited>& sockets);

// For those that are nobody's: what is wrong, and the way out.
std::string unknown_sockets(std::span<const Inherited> sockets, std::span<const config::Listener> listeners);

}  // namespace hooksmtpd::launcher
