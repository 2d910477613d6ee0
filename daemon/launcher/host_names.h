// By which names and addresses clients may know this machine.

#pragma once

#include <span>
#include <string>
#include <vector>

namespace hooksmtpd::launcher {

struct HostNames {
  std::vector<std::string> names;
  std::vector<std::string> addresses;
};

// gethostname(2), the addresses of all interfaces that are up (those that only hold on one link left out), and `more`,
// each of which is a name or an address.
HostNames names_of_this_host(std::span<const std::string> more);

}  // namespace hooksmtpd::launcher
