// The listening sockets, bound before anything is dropped.

#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/tree.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

struct Listeners {
  std::vector<sys::Fd> sockets;     // listening, non-blocking; TCP connections inherit keep-alive and no-delay
  std::vector<BoundAddress> bound;  // of the same index
  std::vector<std::string> warnings;
};

enum class Ports { kAsConfigured, kEphemeral };  // kEphemeral: the kernel picks every one

// Throws StartError with the ways out: the port is taken (and by whom), or needs a privilege; a unix socket's folder is
// somebody else's.
Listeners bind_listeners(const config::Config& config, Ports ports);

}  // namespace hooksmtpd::launcher
