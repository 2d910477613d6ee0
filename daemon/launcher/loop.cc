#include "daemon/launcher/loop.h"

#include <algorithm>

namespace hooksmtpd::launcher {

void Loop::turn(Milliseconds limit) {
  std::erase(watches_, nullptr);
  std::erase(timers_, nullptr);
  std::vector<pollfd> polled;
  polled.reserve(watches_.size());
  for (const Watch* watch : watches_) polled.push_back({.fd = watch->fd_, .events = watch->events_, .revents = 0});

  const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(until_next_timer(limit).count()));
  if (ready > 0) run_watches(polled);
  run_timers();
}

Loop::Milliseconds Loop::until_next_timer(Milliseconds limit) const {
  for (const Timer* timer : timers_) limit = std::min(limit, std::chrono::ceil<Milliseconds>(timer->at_ - now()));
  return std::clamp(limit, Milliseconds(0), Milliseconds(std::chrono::hours(1)));
}

void Loop::run_watches(const std::vector<pollfd>& polled) {
  for (std::size_t i = 0; i < polled.size(); ++i) {
    // A callback before this one may have stopped it, or started it anew with another descriptor.
    if (polled[i].revents == 0 || watches_[i] == nullptr || watches_[i]->fd_ != polled[i].fd) continue;
    watches_[i]->ready_(polled[i].revents);
  }
}

void Loop::run_timers() {
  const Time now = this->now();
  const std::size_t count = timers_.size();  // those that callbacks start now have to wait for the next turn
  for (std::size_t i = 0; i < count; ++i) {
    Timer* timer = timers_[i];
    if (timer == nullptr || timer->at_ > now) continue;
    timer->stop();
    timer->due_();
  }
}

void Watch::start(int fd, short events) {
  if (fd_ < 0) loop_.watches_.push_back(this);
  fd_ = fd;
  events_ = events;
}

void Watch::stop() {
  if (fd_ < 0) return;
  fd_ = -1;
  std::ranges::replace(loop_.watches_, this, nullptr);
}

void Timer::start(Loop::Milliseconds after) {
  at_ = loop_.now() + after;
  if (!running_) loop_.timers_.push_back(this);
  running_ = true;
}

void Timer::stop() {
  if (!running_) return;
  running_ = false;
  std::ranges::replace(loop_.timers_, this, nullptr);
}

}  // namespace hooksmtpd::launcher
