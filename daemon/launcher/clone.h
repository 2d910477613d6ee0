// fork(2), with namespaces of its own for the child if asked.

#pragma once

#include <sys/types.h>

#include <cstdint>

namespace hooksmtpd::launcher {

// kOwn: a mount and a pid namespace; the child is its pid 1. kOwnAndNetwork: one for the network, too, where there is
// nothing but a loopback interface that is down. Need CAP_SYS_ADMIN.
enum class Namespaces : std::uint8_t { kShared, kOwn, kOwnAndNetwork };

// As fork(2). Throws std::system_error.
pid_t clone_process(Namespaces namespaces);

// Takes the loopback interface of our network namespace up. Needs CAP_NET_ADMIN. Throws std::system_error.
void raise_loopback();

}  // namespace hooksmtpd::launcher
