// Who has a TCP port: for the error message of a bind that failed.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace hooksmtpd::launcher {

struct PortHolder {
  pid_t pid;
  std::string name;  // as ps(1) shows it
};

// Some process of this network namespace that listens on `port`. Empty: none, or one whose descriptors we may not see.
std::optional<PortHolder> find_port_holder(std::uint16_t port);

}  // namespace hooksmtpd::launcher
