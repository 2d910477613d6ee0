// Who has to be told that the time is up, and when. Setting and clearing a deadline costs a few pointers, since every
// byte of every client moves one: those with the same time limit stand in one queue, in the order of their deadlines.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace hooksmtpd::worker {

// A part of whatever has a deadline; at most one at a time. Leaves its queue when it is destroyed.
class Deadline {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Deadline() = default;
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() { clear(); }

  void clear();
  bool set() const { return next_ != nullptr; }

 private:
  friend class Deadlines;

  Deadline* next_ = nullptr;  // a ring through the queue's head
  Deadline* previous_ = nullptr;
  TimePoint when_;
};

class Deadlines {
 public:
  using Duration = std::chrono::milliseconds;

  // `deadline` is `limit` from `now` on, whatever it was before.
  void set(Deadline& deadline, Duration limit, Deadline::TimePoint now);

  // The first that is over at `now`, cleared; nullptr: none.
  Deadline* take_expired(Deadline::TimePoint now);

  std::optional<Deadline::TimePoint> next() const;

 private:
  struct Queue {
    Duration limit;
    std::unique_ptr<Deadline> head;  // an empty one that closes the ring
  };
  std::vector<Queue> queues_;  // one for each limit: a handful
};

}  // namespace hooksmtpd::worker
