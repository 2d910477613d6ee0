// Where those wait whose proxy has not yet said on whose behalf it comes (the PROXY protocol,
// proto/smtp/proxy_header.h).
//
// The header comes before everything else, TLS and greeting included. Not one octet behind it is taken from the socket:
// what is admitted is a socket on which the client itself speaks next.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <string>

#include "daemon/sys/log.h"
#include "daemon/worker/arrival.h"
#include "daemon/worker/deadlines.h"
#include "daemon/worker/event.h"

namespace hooksmtpd::worker {

class ProxyGate {
 public:
  // `admit` gets who is through: with the address that the header gives, or with the connection's own where the header
  // gives none (a health check, a client that the proxy cannot name).
  ProxyGate(event_base* base, sys::Log& log, std::function<void(Arrival)> admit);
  ~ProxyGate();

  // `arrival` comes from a proxy, and has so long to say whose it is.
  void wait(Arrival arrival, std::chrono::milliseconds limit);
  void close_all();
  std::size_t waiting() const { return visitors_.size(); }

 private:
  struct Visitor;
  using Visitors = std::list<Visitor>;

  void readable(Visitor& visitor);
  void turn_away(Visitor& visitor, sys::LogLevel level, std::string_view reason);
  void on_time();

  event_base* base_;
  sys::Log& log_;
  std::function<void(Arrival)> admit_;
  Deadlines deadlines_;  // outlives those that stand in it
  Visitors visitors_;
  Timer<ProxyGate, &ProxyGate::on_time> timer_;
};

}  // namespace hooksmtpd::worker
