// One worker that asks for signatures.

#pragma once

#include <cstdint>
#include <functional>

#include "daemon/keyholder/rate_limit.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/signing.h"

namespace hooksmtpd::keyholder {

// A worker that was taken over should not get more out of us than it must. An honest one that is full of handshakes
// asks some 1,000 times a second: it may, for ten seconds.
inline constexpr double kSignaturesPerSecond = 500;
inline constexpr double kSignaturesAtOnce = 5000;

class Client {
 public:
  using Sign = std::function<sys::SignReply(const sys::SignRequest&)>;

  Client(sys::Fd socket, RateLimit::Clock::time_point now)
      : socket_(std::move(socket)), limit_(kSignaturesPerSecond, kSignaturesAtOnce, now) {}

  int fd() const { return socket_.get(); }
  // Requests beyond the rate limit.
  std::uint64_t refused() const { return refused_; }

  enum class End : std::uint8_t {
    kNotYet,
    kClosed,  // by the worker
    kBroken,  // it sent what is no SignRequest
    kDeaf,    // it does not take its answers
  };
  // Answers the request that waits, if one does. Never blocks.
  End serve(const Sign& sign, RateLimit::Clock::time_point now);

 private:
  sys::Fd socket_;
  RateLimit limit_;
  std::uint64_t refused_ = 0;
};

}  // namespace hooksmtpd::keyholder
