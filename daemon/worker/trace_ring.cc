#include "daemon/worker/trace_ring.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/worker/cursor.h"

namespace hooksmtpd::worker {

bool TraceRing::is_for(TraceKind kind) {
  return kind == TraceKind::kSession || kind == TraceKind::kClient || kind == TraceKind::kServer ||
         kind == TraceKind::kReply;
}

std::size_t TraceRing::octets_of(const Kept& kept) { return sizeof kept + kept.line.capacity(); }

void TraceRing::keep(TraceKind kind, const TraceSubject& subject, std::string_view hook, std::string_view line) {
  kept_.push_back({.kind = kind,
                   .session = std::string(subject.session),
                   .listener = std::string(subject.listener),
                   .client = std::string(subject.client),
                   .hook = std::string(hook),
                   .line = std::string(line)});
  octets_ += octets_of(kept_.back());
  ++sequence_;
  while (octets_ > kMaxOctets) {
    octets_ -= octets_of(kept_.front());
    kept_.pop_front();
  }
}

std::optional<std::uint64_t> TraceRing::ask(std::string_view since, Clock::time_point now) {
  const auto place = since.empty() ? std::optional(sequence_) : place_of(since, start_, sequence_);
  if (place) asked_ = now;
  return place;
}

void TraceRing::tell_from(std::uint64_t place, const TraceFilter& filter, Subscriber& subscriber) const {
  const std::uint64_t first_kept = sequence_ - kept_.size();
  const std::uint64_t from = std::max(place, first_kept);
  subscriber.tell(fmt::format(R"({{"ok":true,"cursor":"{}","missed":{}}})", to_cursor(start_, from), from - place));
  for (auto one = kept_.begin() + static_cast<std::ptrdiff_t>(from - first_kept); one != kept_.end(); ++one) {
    const TraceSubject subject{.session = one->session, .listener = one->listener, .client = one->client};
    if (filter.wants(one->kind, subject, one->hook)) subscriber.tell(one->line);
  }
}

void TraceRing::end_of_turn(Clock::time_point now) {
  if (!asked_ || now - *asked_ < kForgetsAfter) return;
  asked_.reset();
  kept_ = {};
  octets_ = 0;
}

}  // namespace hooksmtpd::worker
