// Addresses of TCP sockets, from the configuration and from the kernel.

#pragma once

#include <netdb.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "config/config.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

enum class Ports { kAsConfigured, kEphemeral };  // kEphemeral: the kernel picks every one

// What "127.0.0.1:25", "[::1]:25" or "localhost:25" of a listener means. Throws StartError.
Addresses resolve(const config::Listener& listener, const std::string& address, Ports ports);

// "127.0.0.1:25", "[::1]:25".
std::string to_text(const sockaddr* address, socklen_t length);

// Where a socket is bound; "unix:/run/smtp.sock" for one with a name in the file system.
std::string bound_address(const sys::Fd& socket);

}  // namespace hooksmtpd::launcher
