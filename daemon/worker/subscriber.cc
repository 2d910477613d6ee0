#include "daemon/worker/subscriber.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "daemon/worker/utc.h"

namespace hooksmtpd::worker {
namespace {

template <auto callback>
void call(evutil_socket_t, short, void* self) noexcept {
  (static_cast<Subscriber*>(self)->*callback)();
}

}  // namespace

Subscriber::Subscriber(event_base* base, sys::Fd socket, std::size_t most_queued)
    : socket_(std::move(socket)),
      most_queued_(most_queued),
      readable_(event_new(
          base, socket_.get(), EV_READ | EV_PERSIST,
          [](evutil_socket_t, short, void* self) noexcept { static_cast<Subscriber*>(self)->hear(); }, this)),
      writable_(event_new(base, socket_.get(), EV_WRITE, call<&Subscriber::flush>, this)) {
  event_add(readable_.get(), nullptr);
}

void Subscriber::tell(std::string_view line) {
  if (gone_ || closing_) return;
  // Lines come back when half of the queue is free, or each gap would be followed by the next.
  const std::size_t room = dropped_ > 0 ? most_queued_ / 2 : 0;
  if (!has_room_for(std::max(line.size() + 1, room))) {
    ++dropped_;
    return;
  }
  if (dropped_ > 0) tell_dropped();
  queue_.append(line) += '\n';
}

// A line that is longer than the whole queue goes into an empty one: the request with a large message in it.
bool Subscriber::has_room_for(std::size_t octets) const {
  const std::size_t waiting = queue_.size() - sent_;
  return waiting == 0 || waiting + octets <= most_queued_;
}

void Subscriber::tell_dropped() {
  queue_ += fmt::format(R"({{"time":"{}","from":"daemon","what":"dropped","count":{}}})"
                        "\n",
                        utc_now(), std::exchange(dropped_, 0));
}

void Subscriber::flush() noexcept {
  while (!gone_ && sent_ < queue_.size()) {
    const ssize_t sent =
        ::send(socket_.get(), queue_.data() + sent_, queue_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      event_add(writable_.get(), nullptr);
      return;
    }
    if (sent < 0) {
      gone_ = true;
      return;
    }
    sent_ += static_cast<std::size_t>(sent);
    if (sent_ == queue_.size() || sent_ >= most_queued_ / 4) queue_.erase(0, std::exchange(sent_, 0));
    if (queue_.empty() && dropped_ > 0) tell_dropped();  // it may be long until there is another line
  }
  if (closing_) gone_ = true;
}

// It has nothing to say. That it is gone is what we listen for.
void Subscriber::hear() noexcept {
  std::array<char, 1024> ignored;
  const ssize_t got = ::recv(socket_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return;
  event_del(readable_.get());
  gone_ = true;
}

}  // namespace hooksmtpd::worker
