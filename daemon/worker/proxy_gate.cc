#include "daemon/worker/proxy_gate.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>
#include <variant>

#include "proto/smtp/proxy_header.h"

namespace hooksmtpd::worker {

struct ProxyGate::Visitor : Deadline {
  Visitor(ProxyGate& at, Arrival who) : gate(at), arrival(std::move(who)) {}

  ProxyGate& gate;
  Arrival arrival;
  std::string header{};  // its beginning
  Event event{};
  Visitors::iterator self{};
};

ProxyGate::ProxyGate(event_base* base, sys::Log& log, std::function<void(Arrival)> admit)
    : base_(base), log_(log), admit_(std::move(admit)), timer_(base, *this) {}

ProxyGate::~ProxyGate() = default;

void ProxyGate::wait(Arrival arrival, std::chrono::milliseconds limit) {
  Visitor& visitor = visitors_.emplace_back(*this, std::move(arrival));
  visitor.self = std::prev(visitors_.end());
  const auto callback = [](evutil_socket_t, short, void* argument) noexcept {
    auto& readable = *static_cast<Visitor*>(argument);
    readable.gate.readable(readable);
  };
  visitor.event.reset(event_new(base_, visitor.arrival.socket.get(), EV_READ | EV_PERSIST, callback, &visitor));
  event_add(visitor.event.get(), nullptr);
  deadlines_.set(visitor, limit, Clock::now());
  timer_.set_at_latest(*deadlines_.next());
}

void ProxyGate::close_all() { visitors_.clear(); }

// Looks before it takes: what stands behind the header is the client's. As long as the header is not whole, everything
// that has come is part of it and is taken, or the socket would stay readable and wake us for nothing.
void ProxyGate::readable(Visitor& visitor) {
  std::array<char, smtp::kMaxProxyHeader> seen;
  const std::size_t room = seen.size() - visitor.header.size();
  const int socket = visitor.arrival.socket.get();
  const ssize_t got = recv(socket, seen.data(), room, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    // Many a health check opens a connection and says nothing.
    return turn_away(visitor, visitor.header.empty() ? sys::LogLevel::kDebug : sys::LogLevel::kInfo,
                     "the connection was closed");
  }
  const std::size_t before = visitor.header.size();
  visitor.header.append(seen.data(), static_cast<std::size_t>(got));
  const auto parsed = smtp::parse_proxy_header(visitor.header);
  if (std::holds_alternative<smtp::ProxyBroken>(parsed)) {
    return turn_away(visitor, sys::LogLevel::kInfo, "no PROXY header");
  }
  const auto* const whole = std::get_if<smtp::ProxyHeader>(&parsed);
  if (whole) visitor.header.resize(whole->length);
  const std::size_t ours = visitor.header.size() - before;
  if (recv(socket, seen.data(), ours, MSG_DONTWAIT) != static_cast<ssize_t>(ours)) {
    return turn_away(visitor, sys::LogLevel::kInfo, "the connection was lost");
  }
  if (!whole) return;
  Arrival arrival = std::move(visitor.arrival);
  visitors_.erase(visitor.self);
  if (whole->ends) {
    arrival.proxy = std::exchange(arrival.address, whole->ends->source.address);
    arrival.port = whole->ends->source.port;
  }
  admit_(std::move(arrival));
}

void ProxyGate::turn_away(Visitor& visitor, sys::LogLevel level, std::string_view reason) {
  if (log_.enabled(level)) {
    const std::string shown = visitor.header.empty() ? "" : " got=" + sys::quoted(visitor.header);
    log_.write(level, fmt::format("proxy client={} failed reason=\"{}\"{}", shown_address(visitor.arrival.address),
                                  reason, shown));
  }
  visitors_.erase(visitor.self);
}

void ProxyGate::on_time() {
  while (Deadline* const over = deadlines_.take_expired(Clock::now())) {
    turn_away(*static_cast<Visitor*>(over), sys::LogLevel::kInfo, "no PROXY header in time");
  }
  if (const auto next = deadlines_.next()) timer_.set_at_latest(*next);
}

}  // namespace hooksmtpd::worker
