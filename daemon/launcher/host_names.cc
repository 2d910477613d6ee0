#include "daemon/launcher/host_names.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <memory>

namespace hooksmtpd::launcher {
namespace {

struct FreeInterfaces {
  void operator()(ifaddrs* list) const noexcept { ::freeifaddrs(list); }
};

bool is_address(const std::string& text) {
  in6_addr any{};
  return ::inet_pton(AF_INET, text.c_str(), &any) == 1 || ::inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

// Empty: no address that a certificate can name.
std::string to_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET) {
    const auto* four = reinterpret_cast<const sockaddr_in*>(address);
    return ::inet_ntop(AF_INET, &four->sin_addr, text.data(), text.size());
  }
  if (address->sa_family != AF_INET6) return {};
  const auto* six = reinterpret_cast<const sockaddr_in6*>(address);
  if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr)) return {};
  return ::inet_ntop(AF_INET6, &six->sin6_addr, text.data(), text.size());
}

}  // namespace

HostNames names_of_this_host(std::span<const std::string> more) {
  HostNames host;
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') host.names.emplace_back(name.data());
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) == 0) {
    const std::unique_ptr<ifaddrs, FreeInterfaces> list(first);
    for (const ifaddrs* one = list.get(); one != nullptr; one = one->ifa_next) {
      if ((one->ifa_flags & IFF_UP) == 0) continue;
      if (std::string text = to_text(one->ifa_addr); !text.empty()) host.addresses.push_back(std::move(text));
    }
  }
  for (const std::string& one : more) (is_address(one) ? host.addresses : host.names).push_back(one);
  return host;
}

}  // namespace hooksmtpd::launcher
