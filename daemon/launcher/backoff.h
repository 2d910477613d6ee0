// How long a process that keeps failing waits for its next start: not at all, 0.1 s, 0.2 s, 0.4 s … 30 s.
//
// A process that ran for a minute was healthy, and all is forgotten. Ten failures in five minutes mean that it will not
// come up by itself: it is given up, and only probed every 30 s until a probe lives for that minute.
//
// A value: the time is passed in.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace hooksmtpd::launcher {

class Backoff {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Milliseconds = std::chrono::milliseconds;

  static constexpr Milliseconds kFirst{100};  // the second wait; the first is none
  static constexpr Milliseconds kLongest = std::chrono::seconds(30);
  static constexpr Milliseconds kHealthy = std::chrono::minutes(1);
  static constexpr Milliseconds kWindow = std::chrono::minutes(5);
  static constexpr std::size_t kFailuresToGiveUp = 10;

  void started(Time now) { started_ = now; }
  // It ended, or did what it is killed for. Returns how long to wait before the next start.
  Milliseconds failed(Time now);
  bool given_up() const { return given_up_; }

  friend bool operator==(const Backoff&, const Backoff&) = default;

 private:
  void forget();

  std::optional<Time> started_;
  std::uint32_t in_a_row_ = 0;
  std::array<Time, kFailuresToGiveUp> last_{};  // a ring of the last failures
  std::size_t seen_ = 0;                        // how many were put into it
  bool given_up_ = false;
};

}  // namespace hooksmtpd::launcher
