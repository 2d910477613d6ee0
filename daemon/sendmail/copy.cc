#include "daemon/sendmail/copy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "daemon/sys/error.h"

namespace hooksmtpd::sendmail {
namespace {

Result<> write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(to, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(EX_IOERR, "cannot pass on what was said: " + sys::errno_text(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// One piece; false at the end of `from`.
Result<bool> copy_once(int from, int to) {
  std::array<char, 64 * 1024> piece;
  const ssize_t got = ::read(from, piece.data(), piece.size());
  if (got < 0 && errno == EINTR) return true;
  if (got < 0) return fail(EX_TEMPFAIL, "the connection broke: " + sys::errno_text(errno));
  if (got == 0) return false;
  const auto written = write_all(to, {piece.data(), static_cast<std::size_t>(got)});
  if (!written) return std::unexpected(written.error());
  return true;
}

}  // namespace

Result<> copy_both_ways(int input, int output, int connection) {
  std::array<pollfd, 2> waits{
      {{.fd = connection, .events = POLLIN, .revents = 0}, {.fd = input, .events = POLLIN, .revents = 0}}};
  while (true) {
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR) continue;
      sys::throw_errno("poll");
    }
    if (waits[0].revents != 0) {
      const auto more = copy_once(connection, output);
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
    }
    if (waits[1].revents != 0) {
      const auto more = copy_once(input, connection);
      if (!more) return std::unexpected(more.error());
      if (!*more) {
        ::shutdown(connection, SHUT_WR);
        waits[1].fd = -1;
      }
    }
  }
}

}  // namespace hooksmtpd::sendmail
