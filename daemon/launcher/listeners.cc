#include "daemon/launcher/listeners.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>

#include "daemon/launcher/comma_list.h"
#include "daemon/launcher/folders.h"
#include "daemon/launcher/port_holder.h"
#include "daemon/launcher/start_error.h"
#include "daemon/launcher/tcp_address.h"
#include "daemon/launcher/unix_listener.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

using sys::Fd;
using sys::must;
namespace fs = std::filesystem;

constexpr int kBacklog = 4096;  // connections that wait while a worker starts anew

void switch_on(const Fd& socket, int level, int option) {
  const int on = 1;
  must(::setsockopt(socket.get(), level, option, &on, sizeof on), "setsockopt");
}

// Linux hands them on to accepted sockets.
void set_options_of_connections(const Fd& socket) {
  switch_on(socket, SOL_SOCKET, SO_KEEPALIVE);
  switch_on(socket, IPPROTO_TCP, TCP_NODELAY);
}

// An invalid Fd and errno where the address cannot be bound.
Fd listen_on(const addrinfo& address) {
  Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return {};
  switch_on(socket, SOL_SOCKET, SO_REUSEADDR);
  set_options_of_connections(socket);
  if (address.ai_family == AF_INET6) switch_on(socket, IPPROTO_IPV6, IPV6_V6ONLY);
  if (::bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return {};
  }
  return socket;
}

std::uint16_t port_of(const addrinfo& address) {
  return ntohs(address.ai_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(address.ai_addr)->sin6_port
                                             : reinterpret_cast<const sockaddr_in*>(address.ai_addr)->sin_port);
}

[[noreturn]] void explain(const addrinfo& address, int error, std::string_view by) {
  const std::string where = to_text(address.ai_addr, address.ai_addrlen);
  const std::uint16_t port = port_of(address);
  std::string text = fmt::format("bind {}: {}", where, sys::errno_text(error));
  const std::string elsewhere = fmt::format("{} 127.0.0.1:{}", by, port < 1024 ? 1000 + port : port + 1);
  if (error == EADDRINUSE) {
    const std::optional<PortHolder> holder = find_port_holder(port);
    text += holder ? fmt::format(": process {} ({}) listens there", holder->pid, holder->name)
                   : ": another process listens there";
    text += holder ? fmt::format("\n  either stop that process: kill {}", holder->pid)
                   : fmt::format("\n  either stop that process (root finds it with: ss -ltnp sport = :{})", port);
    text += fmt::format("\n  or listen elsewhere: {}", elsewhere);
    throw StartError(EX_OSERR, text);
  }
  if (error == EACCES) {
    text += fmt::format(
        ": ports below 1024 need a privilege\n"
        "  either start hooksmtpd as root: it drops every privilege once the port is bound\n"
        "  or listen on a high port: {}\n"
        "  or let every user bind this port: sysctl net.ipv4.ip_unprivileged_port_start={}",
        elsewhere, port);
    throw StartError(EX_OSERR, text);
  }
  throw StartError(EX_OSERR, text);
}

// The machine has no such address: usually ::1 where IPv6 is off.
bool is_missing(int error) { return error == EADDRNOTAVAIL || error == EAFNOSUPPORT; }

// In runtime_dir, which is ours to make; every other folder must be there.
void bind_in_file_system(Listeners& result, const config::Config& config, const config::Listener& listener,
                         const fs::path& path) {
  if (path.parent_path() == config.runtime_dir) make_runtime_folder(config);
  result.sockets.push_back(bind_unix(path, listener.socket_mode, kBacklog));
  result.bound.push_back({.listener = listener.name, .address = fmt::format("{}{}", kUnix, path.string())});
}

// Those that systemd has bound; false: none, so the listener is ours to bind. What its `address` says does not count
// then, and is told where it is something else.
bool take_over(Listeners& result, const config::Config& config, const config::Listener& listener,
               std::vector<Inherited>& inherited) {
  std::vector<Inherited> sockets = take_for(listener, config.listeners, inherited);
  std::vector<std::string> addresses;
  for (Inherited& one : sockets) {
    if (!one.address.starts_with(kUnix)) set_options_of_connections(one.socket);
    addresses.push_back(one.address);
    result.bound.push_back({.listener = listener.name, .address = std::move(one.address), .inherited = true});
    result.sockets.push_back(std::move(one.socket));
  }
  if (sockets.empty() || std::ranges::is_permutation(addresses, listener.address)) return !sockets.empty();
  result.warnings.push_back(fmt::format("listener {}: systemd has bound {}, so its address in the configuration is not",
                                        listener.name, comma_list(addresses)));
  return true;
}

// All addresses of one listener. `elsewhere`: what says where else it may listen.
void bind_one(Listeners& result, const config::Config& config, const config::Listener& listener, Ports ports,
              std::string_view elsewhere) {
  Addresses missing;  // one of them, for the error message
  int missing_errno = 0;
  const std::size_t before = result.sockets.size();
  for (const std::string& name : listener.address) {
    if (name.starts_with(kUnix)) {
      bind_in_file_system(result, config, listener, name.substr(kUnix.size()));
      continue;
    }
    Addresses addresses = resolve(listener, name, ports);
    for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
      Fd socket = listen_on(*address);
      const int error = errno;
      if (socket.valid()) {
        result.bound.push_back({.listener = listener.name, .address = bound_address(socket)});
        result.sockets.push_back(std::move(socket));
      } else if (is_missing(error)) {
        result.warnings.push_back(fmt::format("listener {}: {} is not bound: {}", listener.name,
                                              to_text(address->ai_addr, address->ai_addrlen), sys::errno_text(error)));
        missing_errno = error;
      } else {
        explain(*address, error, elsewhere);
      }
    }
    if (missing_errno != 0 && !missing) missing = std::move(addresses);
  }
  if (result.sockets.size() == before && missing) explain(*missing, missing_errno, elsewhere);
}

// As if it were a listener of that name.
config::Listener listener_of(const config::Hook& hook) {
  config::Listener listener;
  listener.name = hook_listener(hook);
  listener.address = hook.sandbox.listen;
  listener.source = hook.source;
  return listener;
}

std::vector<Fd> bind_for_hook(Listeners& all, const config::Config& config, const config::Hook& hook, Ports ports,
                              std::vector<Inherited>& inherited) {
  const config::Listener listener = listener_of(hook);
  Listeners own;
  if (!take_over(own, config, listener, inherited)) {
    bind_one(own, config, listener, ports, fmt::format("sandbox.listen of hook {}", hook.name));
  }
  for (const Fd& socket : own.sockets) {
    must(::fcntl(socket.get(), F_SETFL, must(::fcntl(socket.get(), F_GETFL), "F_GETFL") & ~O_NONBLOCK), "F_SETFL");
  }
  std::ranges::move(own.bound, std::back_inserter(all.bound));
  std::ranges::move(own.warnings, std::back_inserter(all.warnings));
  return std::move(own.sockets);
}

}  // namespace

Listeners bind_listeners(const config::Config& config, Ports ports, std::vector<Inherited> inherited) {
  Listeners result;
  for (const config::Listener& listener : config.listeners) {
    if (!take_over(result, config, listener, inherited)) bind_one(result, config, listener, ports, "--listen");
  }
  for (const config::Hook& hook : config.hooks) {
    result.of_hooks.push_back(bind_for_hook(result, config, hook, ports, inherited));
  }
  if (!inherited.empty()) throw StartError(EX_CONFIG, unknown_sockets(inherited, config.listeners));
  return result;
}

}  // namespace hooksmtpd::launcher
