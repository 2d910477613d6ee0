// The loop of the process that has the private keys. It reads frames from the supervisor and SignRequests from the
// worker, and no byte that a mail client sent.
//
// It answers "sign this with key n" and nothing else: it does not decrypt, does not say which keys there are, and hands
// none out. A worker that was taken over can use a key while it lives; it cannot take it away.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/keyholder/client.h"
#include "daemon/keyholder/key_set.h"
#include "daemon/keyholder/rate_limit.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/log.h"

namespace hooksmtpd::keyholder {

class Keyholder {
 public:
  struct Start {
    sys::Log log;
    sys::Fd control;    // frames with the supervisor
    sys::Fd life;       // end of file: exit
    sys::Fd key_files;  // a sealed memfd with what root read at start (daemon/sys/key_files.h)
  };
  explicit Keyholder(Start start);

  // Until the supervisor is gone (0), or says what makes no sense (1).
  int run();

 private:
  void obey_supervisor();
  void obey(sys::Frame frame);
  void load(const sys::Frame& frame);
  void send(sys::FrameKind kind, std::string_view body) const;
  void serve_client();
  sys::SignReply sign(const sys::SignRequest& request) const;

  sys::Log log_;
  sys::Fd control_, life_, key_files_;
  KeySet current_;
  KeySet previous_;  // sessions that began before a reload may still be in their handshake
  // There is one worker: whoever had a socket before is a dead one, or one that was taken over and wants more than its
  // share. So there is one allowance, too, whatever becomes of sockets.
  std::optional<Client> client_;
  RateLimit limit_;
  bool limit_told_ = false;
  bool stopped_ = false;
};

}  // namespace hooksmtpd::keyholder
