// The listening sockets, bound before anything is dropped.

#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/inherited.h"
#include "daemon/launcher/tcp_address.h"
#include "daemon/launcher/tree.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

struct Listeners {
  std::vector<sys::Fd> sockets;     // listening, non-blocking; TCP connections inherit keep-alive and no-delay
  std::vector<BoundAddress> bound;  // of the same index
  std::vector<std::string> warnings;

  // What hooks listen on (sandbox.listen), by index in Config::hooks: blocking sockets, as most programs expect them.
  // Among `bound` they come behind all others, as hook_listener().
  std::vector<std::vector<sys::Fd>> of_hooks;
};

// A listener that some of `inherited` are meant for has these and no others. Throws StartError with the ways out: the
// port is taken (and by whom), or needs a privilege; a unix socket's folder is somebody else's; a socket of `inherited`
// is no listener's.
Listeners bind_listeners(const config::Config& config, Ports ports, std::vector<Inherited> inherited);

}  // namespace hooksmtpd::launcher
