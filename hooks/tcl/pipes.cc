#include "hooks/tcl/pipes.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace hooksmtpd::tcl {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;

int checked(int result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

void wait_for(int descriptor, short events) {
  pollfd what{.fd = descriptor, .events = events, .revents = 0};
  poll(&what, 1, -1);
}

}  // namespace

bool Pipes::has_line() {
  searched_ = in_.find('\n', searched_);
  if (searched_ != std::string::npos) return true;
  searched_ = in_.size();
  return false;
}

std::optional<std::string_view> Pipes::next_line() {
  if (!has_line()) return std::nullopt;
  const std::string_view line = std::string_view(in_).substr(begin_, searched_ - begin_);
  begin_ = ++searched_;
  return line;
}

bool Pipes::read() {
  in_.erase(0, begin_);
  searched_ -= std::exchange(begin_, 0);
  std::array<char, kReadAtOnce> piece;
  const ssize_t got = ::read(requests_, piece.data(), piece.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  in_.append(piece.data(), static_cast<std::size_t>(got));
  return got > 0;
}

// A callback that waits for events may have us here again meanwhile: what is being written is nobody else's.
bool Pipes::flush() {
  const std::string lines = std::exchange(out_, {});
  std::string_view left = lines;
  while (!left.empty()) {
    const ssize_t written = ::write(replies_, left.data(), left.size());
    if (written < 0 && errno == EAGAIN) {
      wait_for(replies_, POLLOUT);
    } else if (written < 0 && errno != EINTR) {
      return false;
    } else if (written > 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  return true;
}

Pipes take_pipes() {
  const int requests = checked(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), "standard input");
  const int replies = checked(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "standard output");
  const int nothing = checked(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
  checked(dup2(nothing, STDIN_FILENO), "dup2");
  checked(dup2(STDERR_FILENO, STDOUT_FILENO), "dup2");
  close(nothing);
  return {requests, replies};
}

}  // namespace hooksmtpd::tcl
