// fork(2), with namespaces of its own for the child if asked.

#pragma once

#include <sys/types.h>

#include <cstdint>

#include "daemon/launcher/drop.h"

namespace hooksmtpd::launcher {

// Which namespaces are the child's own, to be joined by |. Without kUser they need CAP_SYS_ADMIN.
enum class Namespaces : std::uint32_t {
  kShared = 0,
  kMount = 1,
  kPid = 2,      // the child is its pid 1
  kNetwork = 4,  // there is nothing in it but a loopback interface that is down
  kIpc = 8,      // System V's and POSIX message queues, shared memory
  kUts = 16,     // the host name
  kUser = 32,    // the child has every capability, over its own namespaces only; see map_own_user()
};
constexpr Namespaces operator|(Namespaces a, Namespaces b) {
  return static_cast<Namespaces>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(Namespaces all, Namespaces one) {
  return (static_cast<std::uint32_t>(all) & static_cast<std::uint32_t>(one)) != 0;
}

// As fork(2). Throws std::system_error.
pid_t clone_process(Namespaces namespaces);

// In a child with kUser, first of all: its user and group are who they are outside, and nobody else exists. Throws
// std::system_error.
void map_own_user(const Identity& identity);

// Takes the loopback interface of our network namespace up. Needs CAP_NET_ADMIN. Throws std::system_error.
void raise_loopback();

}  // namespace hooksmtpd::launcher
