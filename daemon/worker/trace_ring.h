// What sessions have said and hooks have answered lately, for `hooksmtpctl expect --since`: a test compares sessions
// that are over before it has begun to listen.
//
// Nothing is kept before somebody has asked for a cursor (cursor.h): until then sessions cost nothing here. An hour
// after the last one who asked, all is forgotten.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/worker/event.h"
#include "daemon/worker/subscriber.h"
#include "daemon/worker/trace_filter.h"

namespace hooksmtpd::worker {

class TraceRing {
 public:
  inline static constexpr std::size_t kMaxOctets = 4 * 1024 * 1024;
  inline static constexpr std::chrono::hours kForgetsAfter{1};

  // Octets that may wait for a subscriber: all that is kept, and some more.
  inline static constexpr std::size_t kMaxQueued = 2 * kMaxOctets;

  // `start` names this worker: no other one has it.
  explicit TraceRing(std::string start) : start_(std::move(start)) {}

  bool keeps() const { return asked_.has_value(); }
  // Of all that is traced only the dialogue and the verdicts.
  static bool is_for(TraceKind kind);
  void keep(TraceKind kind, const TraceSubject& subject, std::string_view hook, std::string_view line);

  // Somebody asks: keeps from now on. `since`: a cursor; empty: now. The place to tell from; empty: that is no cursor.
  std::optional<std::uint64_t> ask(std::string_view since, Clock::time_point now);
  // First {"ok":true,"cursor":"…","missed":n}, where n entries since `place` are forgotten; then what was kept.
  void tell_from(std::uint64_t place, const TraceFilter& filter, Subscriber& subscriber) const;

  // Call it once per turn of the event loop.
  void end_of_turn(Clock::time_point now);

 private:
  struct Kept {
    TraceKind kind;
    std::string session, listener, client, hook, line;
  };
  static std::size_t octets_of(const Kept& kept);

  std::string start_;
  std::optional<Clock::time_point> asked_{};
  std::uint64_t sequence_ = 0;  // of the newest
  std::deque<Kept> kept_{};     // the newest at the back
  std::size_t octets_ = 0;      // of kept_
};

}  // namespace hooksmtpd::worker
