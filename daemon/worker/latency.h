// How long answers took: counts in buckets that grow with what they hold, so that a microsecond and a minute are told
// with the same precision and nothing is ever allocated.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hooksmtpd::worker {

class Latency {
 public:
  // More than an hour counts as that, less than a microsecond as none.
  void add(std::chrono::nanoseconds took);

  std::uint64_t count() const { return count_; }
  // What `percent` of the answers did not exceed, at most an eighth too high; 0 without any answer.
  std::chrono::microseconds percentile(unsigned percent) const;

 private:
  // Eight buckets for each power of two: the first eight microseconds one by one.
  static constexpr std::size_t kSteps = 8;
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 32;  // microseconds
  static constexpr std::size_t kBuckets = (32 - 2) * kSteps + 1;

  static std::size_t bucket_of(std::uint64_t micro);
  static std::uint64_t highest_in(std::size_t bucket);

  std::uint64_t count_ = 0;
  std::array<std::uint64_t, kBuckets> buckets_{};
};

}  // namespace hooksmtpd::worker
