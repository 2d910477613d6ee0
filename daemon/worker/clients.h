// All clients: accepts them, bounds how many there are, keeps their time limits, and lends them what they share.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/sys/fd.h"
#include "daemon/sys/log.h"
#include "daemon/worker/address_counts.h"
#include "daemon/worker/arrival.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/deadlines.h"
#include "daemon/worker/dispatcher.h"
#include "daemon/worker/event.h"
#include "daemon/worker/generation.h"
#include "daemon/worker/keyholder.h"
#include "daemon/worker/proxy_gate.h"
#include "daemon/worker/spool.h"
#include "daemon/worker/subscriptions.h"
#include "proto/smtp/date.h"

namespace hooksmtpd::worker {

class Clients;

struct Listener {
  sys::Fd socket;
  std::string name;
  std::string ip;  // of the address it is bound to; empty: a unix socket
  std::uint16_t port = 0;
  Event event{};
  std::pair<Clients*, Listener*> self{};  // what the event carries
};

class Clients {
 public:
  // `listeners` are bound sockets and the names of their listeners. `most_open`: clients for whom there are
  // descriptors.
  Clients(event_base* base, sys::Log& log, Dispatcher& dispatcher, Spool& spool, const Keyholder& keyholder,
          Subscriptions& subscriptions, std::vector<std::pair<sys::Fd, std::string>> listeners, std::size_t most_open);
  ~Clients();

  // Holds for sessions that begin from now on.
  void use(GenerationPtr generation) { generation_ = std::move(generation); }

  void serve();    // begin to accept
  void release();  // close the listeners, for good
  void shut_down_all();

  // Call it once per turn of the event loop.
  void end_of_turn() { closed_.clear(); }

  struct Counts {
    std::uint64_t connections = 0, refused = 0, messages_accepted = 0, messages_refused = 0;
    std::uint64_t handshakes = 0, handshakes_failed = 0;
    std::uint64_t logins = 0, logins_failed = 0;
    std::uint64_t chunks = 0;  // of BDAT, in sessions that are over
  };
  const Counts& counts() const { return counts_; }
  std::size_t open() const { return open_ + gate_.waiting(); }

 private:
  friend class Connection;

  static constexpr std::size_t kReadAtOnce = 256 * 1024;

  void accept_some(const Listener& listener);
  void arrived(const Listener& listener, sys::Fd socket, const sockaddr* address);
  void admit(Arrival arrival);
  void refuse(const Arrival& arrival, std::string_view farewell);
  void out_of_descriptors(const Listener& listener);
  void pause_accepting();
  void on_pause_over() { serve(); }
  void on_deadline();
  void remove(Connection& connection);
  // For a handshake that begins now; null: none can.
  const tls::Context* tls_context() const { return keyholder_.available() ? generation_->tls.get() : nullptr; }
  smtp::Now now();

  event_base* base_;
  sys::Log& log_;
  Dispatcher& dispatcher_;
  Spool& spool_;
  const Keyholder& keyholder_;
  Tracer& tracer_;
  MessageRing& messages_;
  GenerationPtr generation_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  AddressCounts by_address_;  // both outlive the connections that stand in them
  Deadlines deadlines_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  std::vector<std::unique_ptr<Connection>> closed_;       // gone at the end of the turn
  std::size_t open_ = 0;
  std::size_t most_open_;
  ProxyGate gate_;
  Timer<Clients, &Clients::on_deadline> deadline_timer_;
  Timer<Clients, &Clients::on_pause_over> pause_timer_;
  sys::Fd reserve_;  // given up to be able to refuse a client when descriptors run out
  std::string session_prefix_;
  std::uint64_t sessions_ = 0;
  Counts counts_;
  bool released_ = false;

  // Lent to whichever connection is at work; an idle one has none of its own.
  std::array<char, kReadAtOnce> input_;
  std::string replies_;
  smtp::Now now_{};
};

}  // namespace hooksmtpd::worker
