#include "daemon/sys/line_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace hooksmtpd::sys {
namespace {

// A blocking descriptor takes at least this much without blocking when poll() calls it writable: PIPE_BUF on a pipe,
// and a terminal's buffer is larger.
constexpr std::size_t kPiece = 4096;

bool writable_now(int fd) {
  pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&one, 1, 0) == 1 && (one.revents & POLLOUT) != 0;
}

}  // namespace

LineWriter::LineWriter(Fd fd, std::size_t gather, std::size_t bound)
    : fd_(std::move(fd)), gather_(gather), bound_(bound) {}

bool LineWriter::add(std::string_view line) {
  if (!has_room_for(line.size())) flush();
  if (!has_room_for(line.size())) {
    ++dropped_;
    return false;
  }
  buffer_.append(line);
  if (buffer_.size() >= gather_) flush();
  return true;
}

void LineWriter::flush() {
  while (!buffer_.empty() && write_some()) {
  }
}

bool LineWriter::write_some() {
  if (!writable_now(fd_.get())) return false;
  const ssize_t written = ::write(fd_.get(), buffer_.data(), std::min(buffer_.size(), kPiece));
  if (written < 0) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN) {  // nobody will ever read it (EPIPE, EIO after a hang-up) or no space: do not keep it
      dropped_ += static_cast<std::uint64_t>(std::ranges::count(buffer_, '\n'));
      buffer_.clear();
    }
    return false;
  }
  buffer_.erase(0, static_cast<std::size_t>(written));
  return true;
}

Fd nonblocking_copy(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || ::isatty(fd) == 1)) {
    const int own = ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) return Fd(own);
  }
  return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

}  // namespace hooksmtpd::sys
