#include "daemon/launcher/inherited.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "daemon/launcher/comma_list.h"
#include "daemon/launcher/start_error.h"
#include "daemon/launcher/tcp_address.h"
#include "daemon/launcher/tree.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

constexpr int kFirst = 3;
constexpr int kMost = 1024;  // more would be a mistake, or no systemd

std::optional<int> number_of(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  int value = 0;
  const auto [rest, error] = std::from_chars(text, text + std::strlen(text), value);
  if (error != std::errc() || *rest != '\0') return std::nullopt;
  return value;
}

int option_of(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool listens(int fd) {
  const int family = option_of(fd, SO_DOMAIN);
  return (family == AF_INET || family == AF_INET6 || family == AF_UNIX) && option_of(fd, SO_TYPE) == SOCK_STREAM &&
         option_of(fd, SO_ACCEPTCONN) == 1;
}

Inherited take_one(int fd, std::string name) {
  if (!listens(fd)) {
    throw StartError(EX_CONFIG, fmt::format("descriptor {} (\"{}\") of LISTEN_FDS is no listening stream socket: the "
                                            ".socket unit needs ListenStream= and Accept=no",
                                            fd, name));
  }
  sys::must(::fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl F_SETFD");
  sys::must(::fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl F_SETFL");
  Inherited one{.socket = sys::Fd(fd), .name = std::move(name), .address = {}};
  one.address = bound_address(one.socket);
  return one;
}

std::vector<std::string> addresses_of(const config::Listener& listener) {
  std::vector<std::string> texts;
  for (const std::string& name : listener.address) {
    if (name.starts_with(kUnix)) {
      texts.push_back(name);
      continue;
    }
    const Addresses addresses = resolve(listener, name, Ports::kAsConfigured);
    for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
      texts.push_back(to_text(one->ai_addr, one->ai_addrlen));
    }
  }
  return texts;
}

}  // namespace

std::vector<Inherited> take_inherited() {
  const std::optional<int> pid = number_of("LISTEN_PID");
  const std::optional<int> count = number_of("LISTEN_FDS");
  const char* given = std::getenv("LISTEN_FDNAMES");
  std::string names = given == nullptr ? "" : given;
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  if (pid != ::getpid() || !count) return {};
  if (*count < 0 || *count > kMost) throw StartError(EX_CONFIG, fmt::format("LISTEN_FDS={} makes no sense", *count));

  std::vector<Inherited> sockets;
  for (int fd = kFirst; fd < kFirst + *count; ++fd) {
    const std::size_t colon = names.find(':');
    sockets.push_back(take_one(fd, names.substr(0, colon)));
    names.erase(0, colon == std::string::npos ? colon : colon + 1);
  }
  return sockets;
}

std::vector<Inherited> take_for(const config::Listener& listener, std::span<const config::Listener> listeners,
                                std::vector<Inherited>& sockets) {
  if (sockets.empty()) return {};
  const std::vector<std::string> addresses = addresses_of(listener);
  const auto is_others = [&](const Inherited& one) {
    if (std::ranges::find(listeners, one.name, &config::Listener::name) != listeners.end()) {
      return one.name != listener.name;
    }
    return std::ranges::find(addresses, one.address) == addresses.end();
  };
  const auto ours = std::ranges::stable_partition(sockets, is_others);
  std::vector<Inherited> taken(std::make_move_iterator(ours.begin()), std::make_move_iterator(ours.end()));
  sockets.erase(ours.begin(), ours.end());
  return taken;
}

std::string unknown_sockets(std::span<const Inherited> sockets, std::span<const config::Listener> listeners) {
  std::vector<std::string> which, names;
  for (const Inherited& one : sockets) which.push_back(fmt::format("{} (\"{}\")", one.address, one.name));
  for (const config::Listener& listener : listeners) names.push_back(listener.name);
  return fmt::format(
      "no listener is meant for what systemd bound: {}\n"
      "  either name the listener in the .socket unit: FileDescriptorName={}\n"
      "  or give a listener this address in the configuration",
      comma_list(which), comma_list(names));
}

}  // namespace hooksmtpd::launcher
