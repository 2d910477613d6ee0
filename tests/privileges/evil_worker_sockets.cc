#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "tests/privileges/evil_worker.h"

namespace hooksmtpd::evil {
namespace {

Act socket_act(std::string_view name, int family, int type, int protocol = 0) {
  return {name, [=](Held&, Argument) { return result(::socket(family, type, protocol)); }};
}

sockaddr_in local_port(Argument port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi("0" + port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

template <class Value>
Act option_act(std::string_view name, int level, int option, Value value) {
  return {name, [=](Held& held, Argument) {
            return result(::setsockopt(held.listener.get(), level, option, &value, sizeof value));
          }};
}

// A listener of the machine's network that is shut down is a socket again that may connect, and this flag connects
// without connect(2). It does nothing to the listener where it is refused.
std::string send_by_fast_open(Held& held, Argument port, bool by_message) {
  sockaddr_in address = local_port(port);
  const sys::Fd copy(::fcntl(held.listener.get(), F_DUPFD_CLOEXEC, 10));
  ::shutdown(copy.get(), SHUT_RDWR);
  std::string text = "evil";
  if (!by_message) {
    return result(::sendto(copy.get(), text.data(), text.size(), MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL,
                           reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return result(::sendmsg(copy.get(), &message, MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL));
}

}  // namespace

std::vector<Act> acts_on_sockets() {
  return {
      socket_act("socket_tcp", AF_INET, SOCK_STREAM),
      socket_act("socket_tcp6", AF_INET6, SOCK_STREAM),
      socket_act("socket_udp", AF_INET, SOCK_DGRAM),
      socket_act("socket_unix", AF_UNIX, SOCK_STREAM),
      socket_act("socket_netlink", AF_NETLINK, SOCK_RAW),
      socket_act("socket_packet", AF_PACKET, SOCK_RAW),
      socket_act("socket_vsock", AF_VSOCK, SOCK_STREAM),
      {"socket_pair",
       [](Held&, Argument) {
         std::array<int, 2> pair{};
         return result(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()));
       }},
      {"connect_listener",
       [](Held& held, Argument port) {
         const sockaddr_in address = local_port(port);
         return result(::connect(held.listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
       }},
      {"connect_by_fast_open", [](Held& held, Argument port) { return send_by_fast_open(held, port, false); }},
      {"connect_by_fast_open_message", [](Held& held, Argument port) { return send_by_fast_open(held, port, true); }},
      {"send_to_a_path",
       [](Held& held, Argument path) {
         sockaddr_un address{};
         address.sun_family = AF_UNIX;
         std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
         return result(::sendto(held.control.get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), sizeof address));
       }},
      {"bind_again",
       [](Held& held, Argument) {
         const sockaddr_in address = local_port("26");
         return result(::bind(held.listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
       }},
      {"listen_on_control", [](Held& held, Argument) { return result(::listen(held.control.get(), 1)); }},
      {"accept_on_control",
       [](Held& held, Argument) { return result(::accept4(held.control.get(), nullptr, nullptr, 0)); }},
      {"accept_by_old_call",
       [](Held& held, Argument) { return result(::syscall(SYS_accept, held.control.get(), nullptr, nullptr)); }},
      {"send_many", [](Held& held, Argument) { return result(::sendmmsg(held.control.get(), nullptr, 0, 0)); }},
      {"receive_many",
       [](Held& held, Argument) { return result(::recvmmsg(held.control.get(), nullptr, 0, 0, nullptr)); }},
      option_act("option_fast_open_connect", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1),
      option_act("option_repair", IPPROTO_TCP, TCP_REPAIR, 1),
      option_act("option_transparent", IPPROTO_IP, IP_TRANSPARENT, 1),
      option_act("option_mark", SOL_SOCKET, SO_MARK, 1),
      option_act("option_reuse_port", SOL_SOCKET, SO_REUSEPORT, 1),
      option_act("option_filter", SOL_SOCKET, SO_ATTACH_FILTER, std::array<char, 16>{}),
      option_act("option_bind_to_device", SOL_SOCKET, SO_BINDTODEVICE, std::array<char, 4>{'l', 'o'}),
      {"ask_interfaces",
       [](Held& held, Argument) {
         ifconf interfaces{};
         return result(::ioctl(held.listener.get(), SIOCGIFCONF, &interfaces));
       }},
      {"push_terminal_input", [](Held&, Argument) { return result(::ioctl(STDERR_FILENO, TIOCSTI, "x")); }},
      {"splice_descriptors",
       [](Held& held, Argument) {
         return result(::syscall(SYS_splice, held.control.get(), nullptr, STDERR_FILENO, nullptr, 1, 0));
       }},
  };
}

}  // namespace hooksmtpd::evil
