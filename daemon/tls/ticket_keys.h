// The keys that seal session tickets (RFC 5077, RFC 8446 §4.6.1): drawn at random, known to this process alone, and
// changed every two hours, so that a recorded session stays unreadable once they are gone.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

class TicketKeys {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::hours kLifetime{2};  // a ticket's, too

  // Throws std::runtime_error where OpenSSL has no randomness.
  explicit TicketKeys(Clock::time_point now = Clock::now());
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Must outlive `context` and its sessions.
  void serve(SSL_CTX* context);

  struct KeySet {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher, mac;
  };
  // The one to seal with now.
  const KeySet& current(Clock::time_point now);
  // The one of that name: current, or the one before, whose tickets are good for as long again. Null: neither.
  const KeySet* find(const unsigned char* name, Clock::time_point now);

 private:
  void rotate(Clock::time_point now);

  KeySet current_, before_;
  Clock::time_point since_;
};

}  // namespace hooksmtpd::tls
