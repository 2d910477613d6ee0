// fork(2), with namespaces of its own for the child if asked.

#pragma once

#include <sys/types.h>

#include <cstdint>

namespace hooksmtpd::launcher {

// kOwn: a mount and a pid namespace; the child is its pid 1. Needs CAP_SYS_ADMIN.
enum class Namespaces : std::uint8_t { kShared, kOwn };

// As fork(2). Throws std::system_error.
pid_t clone_process(Namespaces namespaces);

}  // namespace hooksmtpd::launcher
