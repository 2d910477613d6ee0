// libevent with owners.

#pragma once

#include <event2/event.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <memory>

namespace hooksmtpd::worker {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* handle) const noexcept {
    release(handle);
  }
};
using EventBase = std::unique_ptr<event_base, Release<event_base_free>>;
using Event = std::unique_ptr<event, Release<event_free>>;

inline timeval to_timeval(std::chrono::microseconds duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {.tv_sec = whole.count(), .tv_usec = (duration - whole).count()};
}

using Clock = std::chrono::steady_clock;

// A timer that calls back at a moment, unless it is set to another one or destroyed before.
template <class Owner, void (Owner::*callback)()>
class Timer {
 public:
  Timer(event_base* base, Owner& owner)
      : event_(evtimer_new(
            base, [](evutil_socket_t, short, void* self) noexcept { static_cast<Timer*>(self)->fire(); }, this)),
        owner_(owner) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // An earlier moment than the one that is set, or the first. A later one is left to whoever is called: it looks again.
  void set_at_latest(Clock::time_point when) {
    if (armed_ && when_ <= when) return;
    armed_ = true;
    when_ = when;
    const auto wait =
        std::max(std::chrono::ceil<std::chrono::microseconds>(when - Clock::now()), std::chrono::microseconds::zero());
    const timeval tv = to_timeval(wait);
    evtimer_add(event_.get(), &tv);
  }

 private:
  void fire() {
    armed_ = false;
    (owner_.*callback)();
  }

  Event event_;
  Owner& owner_;
  Clock::time_point when_;
  bool armed_ = false;
};

}  // namespace hooksmtpd::worker
