// The supervisor's event loop: poll(2), timers, and nothing else. Everything runs in one thread, in callbacks.
//
// A callback may start and stop any Watch and Timer, its own too; it must not destroy its own.

#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <vector>

namespace hooksmtpd::launcher {

class Watch;
class Timer;

class Loop {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;
  using Milliseconds = std::chrono::milliseconds;

  explicit Loop(std::function<Time()> now = &Clock::now) : now_(std::move(now)) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Time now() const { return now_(); }

  // Waits for a descriptor or a timer, but not longer than `limit`; runs what is due.
  void turn(Milliseconds limit);

 private:
  friend class Watch;
  friend class Timer;

  Milliseconds until_next_timer(Milliseconds limit) const;
  void run_watches(const std::vector<pollfd>& polled);
  void run_timers();

  std::function<Time()> now_;
  // Null: taken out; swept when the next turn begins, so that places stay as they are while callbacks run.
  std::vector<Watch*> watches_;
  std::vector<Timer*> timers_;
};

// Calls back as long as a descriptor is ready (level triggered). Does not own the descriptor: stop() before it closes.
class Watch {
 public:
  Watch(Loop& loop, std::function<void(short revents)> ready) : loop_(loop), ready_(std::move(ready)) {}
  ~Watch() { stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // `events` as in poll(2); POLLHUP and POLLERR are always told. Started again: with the new descriptor and events.
  void start(int fd, short events);
  void stop();

 private:
  friend class Loop;

  Loop& loop_;
  std::function<void(short revents)> ready_;
  int fd_ = -1;
  short events_ = 0;
};

// Calls back once, after a time. Started again: from now on.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> due) : loop_(loop), due_(std::move(due)) {}
  ~Timer() { stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(Loop::Milliseconds after);
  void stop();
  bool running() const { return running_; }

 private:
  friend class Loop;

  Loop& loop_;
  std::function<void()> due_;
  Loop::Time at_{};
  bool running_ = false;
};

}  // namespace hooksmtpd::launcher
