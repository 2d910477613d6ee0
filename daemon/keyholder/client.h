// The worker, as it asks for signatures.

#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "daemon/sys/fd.h"
#include "daemon/sys/signing.h"

namespace hooksmtpd::keyholder {

class Client {
 public:
  using Answer = std::function<sys::SignReply(const sys::SignRequest&)>;

  explicit Client(sys::Fd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }

  enum class End : std::uint8_t {
    kNotYet,
    kClosed,  // by the worker
    kBroken,  // it sent what is no SignRequest
    kDeaf,    // it does not take its answers
  };
  // Answers the request that waits, if one does. Never blocks.
  End serve(const Answer& answer);

 private:
  sys::Fd socket_;
};

}  // namespace hooksmtpd::keyholder
