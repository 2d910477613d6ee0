#include "daemon/launcher/tcp_address.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include "daemon/launcher/start_error.h"
#include "daemon/launcher/tree.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {

Addresses resolve(const config::Listener& listener, const std::string& address, Ports ports) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    throw config_error(listener.source, fmt::format("listener address {} has no port", address));
  }
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string port = ports == Ports::kEphemeral ? "0" : address.substr(colon + 1);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    throw config_error(listener.source,
                       fmt::format("listener address {}: {}", address,
                                   error == EAI_SYSTEM ? sys::errno_text(errno) : ::gai_strerror(error)));
  }
  return Addresses(found);
}

std::string to_text(const sockaddr* address, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  ::getnameinfo(address, length, host.data(), host.size(), port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
  return address->sa_family == AF_INET6 ? fmt::format("[{}]:{}", host.data(), port.data())
                                        : fmt::format("{}:{}", host.data(), port.data());
}

std::string bound_address(const sys::Fd& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  sys::must(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
  if (address.ss_family != AF_UNIX) return to_text(reinterpret_cast<const sockaddr*>(&address), length);
  const std::string_view path(reinterpret_cast<const sockaddr_un&>(address).sun_path,
                              length - offsetof(sockaddr_un, sun_path));
  return fmt::format("{}{}", kUnix, path.substr(0, path.find('\0')));
}

}  // namespace hooksmtpd::launcher
