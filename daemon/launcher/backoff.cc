#include "daemon/launcher/backoff.h"

#include <algorithm>

namespace hooksmtpd::launcher {

void Backoff::forget() {
  in_a_row_ = 0;
  seen_ = 0;
  given_up_ = false;
}

Backoff::Milliseconds Backoff::failed(Time now) {
  if (started_ && now - *started_ >= kHealthy) forget();
  started_.reset();

  last_[seen_++ % last_.size()] = now;
  // The place that the next failure will take holds the oldest of the last ten.
  if (seen_ >= last_.size() && now - last_[seen_ % last_.size()] <= kWindow) given_up_ = true;

  const std::uint32_t before = in_a_row_++;
  if (given_up_) return kLongest;
  if (before == 0) return Milliseconds(0);
  const std::uint32_t doublings = std::min<std::uint32_t>(before - 1, 16);
  return std::min(kFirst * (1 << doublings), kLongest);
}

}  // namespace hooksmtpd::launcher
