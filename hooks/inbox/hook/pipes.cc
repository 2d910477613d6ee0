#include "hooks/inbox/hook/pipes.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace hooksmtpd::inbox {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;

}  // namespace

Pipes::Pipes(event_base* base, std::function<void(std::string_view)> line, std::function<void()> end)
    : line_(std::move(line)), end_(std::move(end)) {
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
  on_input_.reset(event_new(
      base, STDIN_FILENO, EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<Pipes*>(self)->read(); }, this));
  on_room_.reset(event_new(
      base, STDOUT_FILENO, EV_WRITE, [](evutil_socket_t, short, void* self) { static_cast<Pipes*>(self)->flush(); },
      this));
  event_add(on_input_.get(), nullptr);
}

void Pipes::write(std::string_view line) {
  if (out_.empty()) event_active(on_room_.get(), EV_WRITE, 0);
  out_.append(line).append(1, '\n');
}

void Pipes::flush() {
  while (!out_.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, out_.data(), out_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      event_add(on_room_.get(), nullptr);
      return;
    }
    if (written < 0) return end_();  // the daemon is gone
    out_.erase(0, static_cast<std::size_t>(written));
  }
}

void Pipes::read() {
  std::array<char, kReadAtOnce> piece;
  const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    event_del(on_input_.get());
    return end_();
  }
  std::string_view octets(piece.data(), static_cast<std::size_t>(got));
  while (true) {
    const std::size_t end = octets.find('\n');
    if (end == std::string_view::npos) break;
    if (in_.empty()) {
      line_(octets.substr(0, end));
    } else {
      in_ += octets.substr(0, end);
      line_(std::exchange(in_, {}));
    }
    octets.remove_prefix(end + 1);
  }
  in_ += octets;
}

}  // namespace hooksmtpd::inbox
