#include "daemon/worker/latency.h"

#include <algorithm>
#include <bit>

namespace hooksmtpd::worker {

// Of 2^n <= value < 2^(n+1), n >= 3, the three bits below the highest one choose among the eight.
std::size_t Latency::bucket_of(std::uint64_t micro) {
  const std::uint64_t value = std::min(micro, kMost);
  if (value < kSteps) return static_cast<std::size_t>(value);
  const auto power = static_cast<std::size_t>(std::bit_width(value)) - 1;
  return (power - 2) * kSteps + static_cast<std::size_t>(value >> (power - 3)) % kSteps;
}

std::uint64_t Latency::highest_in(std::size_t bucket) {
  if (bucket < kSteps) return bucket;
  const std::size_t power = bucket / kSteps + 2;
  return ((kSteps + bucket % kSteps + 1) << (power - 3)) - 1;
}

void Latency::add(std::chrono::nanoseconds took) {
  const auto micro = std::chrono::floor<std::chrono::microseconds>(took).count();
  ++buckets_[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(micro, 0)))];
  ++count_;
}

std::chrono::microseconds Latency::percentile(unsigned percent) const {
  if (count_ == 0) return {};
  const std::uint64_t rank = std::max<std::uint64_t>(1, (count_ * percent + 99) / 100);
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += buckets_[bucket]) < rank) ++bucket;
  return std::chrono::microseconds(std::min(highest_in(bucket), kMost));
}

}  // namespace hooksmtpd::worker
