// A client that was accepted, on its way to a session.

#pragma once

#include <cstdint>
#include <string>

#include "daemon/sys/fd.h"

namespace hooksmtpd::worker {

struct Listener;

struct Arrival {
  sys::Fd socket;  // does not block
  const Listener* listener;
  std::string address;  // "192.0.2.7"; empty: it came through a unix socket
  std::uint16_t port = 0;
  std::string proxy{};  // the address of the proxy that passed it on; empty: it came by itself
};

// How the log names a client.
inline const std::string& shown_address(const std::string& address) {
  static const std::string kUnix = "unix";
  return address.empty() ? kUnix : address;
}

}  // namespace hooksmtpd::worker
