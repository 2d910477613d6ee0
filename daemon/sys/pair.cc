#include "daemon/sys/pair.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>

#include "daemon/sys/error.h"

namespace hooksmtpd::sys {

Pipe make_pipe() {
  std::array<int, 2> ends{};
  must(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  return {.read = Fd(ends[0]), .write = Fd(ends[1])};
}

SocketPair make_socket_pair() {
  std::array<int, 2> ends{};
  must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), "socketpair");
  return {.ours = Fd(ends[0]), .theirs = Fd(ends[1])};
}

}  // namespace hooksmtpd::sys
