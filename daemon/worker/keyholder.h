// The keyholder as the worker knows it: a socket that signs, or none.

#pragma once

#include <functional>

#include "daemon/sys/fd.h"
#include "daemon/sys/log.h"
#include "daemon/tls/remote_key.h"

namespace hooksmtpd::worker {

class Keyholder final : public tls::Signer {
 public:
  // `lost` is called when it failed to answer: the socket is closed then, and no handshake begins until there is a new
  // one.
  Keyholder(sys::Log& log, std::function<void()> lost);

  void use(sys::Fd socket) { socket_ = std::move(socket); }
  bool available() const { return socket_.valid(); }

  // Blocks, for a second at most: signing takes well below one millisecond, and OpenSSL 3.0 cannot wait for a key
  // otherwise.
  sys::SignReply sign(const sys::SignRequest& request) noexcept override;

 private:
  sys::Log& log_;
  std::function<void()> lost_;
  sys::Fd socket_;
};

}  // namespace hooksmtpd::worker
