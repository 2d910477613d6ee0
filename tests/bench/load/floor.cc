// The floor: what the kernel alone costs. One epoll loop that answers canned replies without parsing: it tells commands
// by their first letter, counts lines, and in a message looks only for CRLF.CRLF. Not a server: a yardstick.
//
//   floor PORT

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::string_view_literals;

constexpr auto kEnd = "\r\n.\r\n"sv;

struct Connection {
  bool in_data = false;
  bool line_begun = false;
  std::uint8_t matched = 0;  // octets of kEnd that the last read ended with
};

char in[65536], out[65536];

// How much of kEnd the stream ends with: `matched` octets of it, and then `text`.
std::uint8_t tail_of(std::string_view text, std::uint8_t matched) {
  std::string stream(text.size() < kEnd.size() ? kEnd.substr(0, matched) : ""sv);
  stream += text.substr(text.size() - std::min(text.size(), kEnd.size() - 1));
  for (std::size_t length = kEnd.size() - 1; length > 0; --length) {
    if (std::string_view(stream).ends_with(kEnd.substr(0, length))) return static_cast<std::uint8_t>(length);
  }
  return 0;
}

// Octets of `text` up to and with the end of data, or 0.
std::size_t end_of_data(std::string_view text, std::uint8_t matched) {
  if (const auto rest = kEnd.substr(matched); matched > 0 && text.starts_with(rest)) return rest.size();
  // Dots are rarer than line ends.
  for (auto dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
    if (dot >= 2 && text.substr(dot - 2, kEnd.size()) == kEnd) return dot + 3;
  }
  return 0;
}

// False: close the connection.
bool serve(int fd, Connection& connection) {
  const ssize_t received = recv(fd, in, sizeof in, 0);
  if (received <= 0) return false;
  std::string_view text(in, static_cast<std::size_t>(received));
  char* next = out;
  const auto say = [&](std::string_view reply) { next = std::copy(reply.begin(), reply.end(), next); };
  bool open = true;
  while (!text.empty() && open && next < out + sizeof out - 512) {
    if (connection.in_data) {
      const std::size_t end = end_of_data(text, connection.matched);
      if (end == 0) {
        connection.matched = tail_of(text, connection.matched);
        break;
      }
      connection.in_data = false;
      text.remove_prefix(end);
      say("250 2.0.0 Ok\r\n");
      continue;
    }
    if (!connection.line_begun) {
      connection.line_begun = true;
      switch (text.front() | 0x20) {
        case 'd':
          say("354 go\r\n");
          connection.in_data = true;
          connection.matched = 2;  // the end may stand at the very beginning
          break;
        case 'e':
          say("250-floor\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n");
          break;
        case 'q':
          say("221 bye\r\n");
          open = false;
          break;
        default:
          say("250 2.1.0 Ok\r\n");
      }
    }
    const auto end = text.find('\n');
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    connection.line_begun = false;
  }
  if (next > out && send(fd, out, static_cast<std::size_t>(next - out), MSG_NOSIGNAL) < 0) return false;
  return open;
}

}  // namespace

int main(int argc, char** argv) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argc > 1 ? argv[1] : "0")));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int one = 1;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 4096) != 0) {
    std::perror("floor");
    return 1;
  }
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::vector<Connection> connections(limit.rlim_max < 1'000'000 ? limit.rlim_max : 1'000'000);
  epoll_event events[512];
  for (;;) {
    const int ready = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < ready; ++i) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        if (!serve(fd, connections[static_cast<std::size_t>(fd)])) close(fd);
        continue;
      }
      while ((fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        connections[static_cast<std::size_t>(fd)] = {};
        event = {.events = EPOLLIN, .data = {.fd = fd}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        send(fd, "220 floor ESMTP\r\n", 17, MSG_NOSIGNAL);
      }
    }
  }
}
