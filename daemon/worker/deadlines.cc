#include "daemon/worker/deadlines.h"

#include <algorithm>
#include <utility>

namespace hooksmtpd::worker {

void Deadline::clear() {
  if (!next_) return;
  next_->previous_ = previous_;
  previous_->next_ = next_;
  next_ = previous_ = nullptr;
}

void Deadlines::set(Deadline& deadline, Duration limit, Deadline::TimePoint now) {
  deadline.clear();
  auto queue = std::ranges::find(queues_, limit, &Queue::limit);
  if (queue == queues_.end()) {
    queue = queues_.insert(queue, Queue{limit, std::make_unique<Deadline>()});
    Deadline& head = *queue->head;
    head.next_ = head.previous_ = &head;
  }
  Deadline& head = *queue->head;
  deadline.when_ = now + limit;
  deadline.previous_ = head.previous_;
  deadline.next_ = &head;
  head.previous_->next_ = &deadline;
  head.previous_ = &deadline;
}

Deadline* Deadlines::take_expired(Deadline::TimePoint now) {
  for (const Queue& queue : queues_) {
    Deadline* const first = queue.head->next_;
    if (first == queue.head.get() || first->when_ > now) continue;
    first->clear();
    return first;
  }
  return nullptr;
}

std::optional<Deadline::TimePoint> Deadlines::next() const {
  std::optional<Deadline::TimePoint> next;
  for (const Queue& queue : queues_) {
    const Deadline* const first = queue.head->next_;
    if (first != queue.head.get() && (!next || first->when_ < *next)) next = first->when_;
  }
  return next;
}

}  // namespace hooksmtpd::worker
