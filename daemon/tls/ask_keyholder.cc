#include "daemon/tls/ask_keyholder.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace hooksmtpd::tls {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Until the socket is ready for `events`, or `end` has come.
bool wait_for(const sys::Fd& socket, short events, steady_clock::time_point end) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd one{.fd = socket.get(), .events = events, .revents = 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // what is wrong shows in the call that follows
  }
}

bool not_yet() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

std::expected<sys::SignReply, AskError> ask_keyholder(const sys::Fd& socket, const sys::SignRequest& request,
                                                      milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  while (::send(socket.get(), &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (!not_yet()) return std::unexpected(AskError::kLost);
    if (!wait_for(socket, POLLOUT, end)) return std::unexpected(AskError::kLate);
  }
  for (;;) {
    sys::SignReply reply;
    // MSG_TRUNC: the length of the packet, even where it is more than we take.
    const ssize_t got = ::recv(socket.get(), &reply, sizeof reply, MSG_DONTWAIT | MSG_TRUNC);
    if (got == static_cast<ssize_t>(sizeof reply)) return reply;
    if (got >= 0 || !not_yet()) return std::unexpected(AskError::kLost);
    if (!wait_for(socket, POLLIN, end)) return std::unexpected(AskError::kLate);
  }
}

}  // namespace hooksmtpd::tls
