#include "daemon/worker/clients.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include "daemon/sys/error.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {
namespace {

constexpr int kAcceptAtOnce = 64;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

struct Address {
  std::string ip;
  std::uint16_t port;
  bool loopback;
};

Address to_address(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    return {text, ntohs(in->sin_port), (ntohl(in->sin_addr.s_addr) >> 24) == 127};
  }
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address);
  inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
  return {text, ntohs(in6->sin6_port), IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) != 0};
}

// Letters and digits that no other start of the daemon has: the second it started in, and some chance.
std::string start_stamp() {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  unsigned chance = 0;
  sys::must(getrandom(&chance, sizeof chance, 0), "getrandom");
  auto number = static_cast<std::uint64_t>(std::time(nullptr)) * 1296 + chance % 1296;
  std::string stamp;
  for (; number > 0; number /= kDigits.size()) stamp.insert(stamp.begin(), kDigits[number % kDigits.size()]);
  return stamp;
}

}  // namespace

Clients::Clients(event_base* base, sys::Log& log, Dispatcher& dispatcher, Spool& spool,
                 std::vector<std::pair<sys::Fd, std::string>> listeners, std::size_t most_open)
    : base_(base),
      log_(log),
      dispatcher_(dispatcher),
      spool_(spool),
      most_open_(most_open),
      deadline_timer_(base, *this),
      pause_timer_(base, *this),
      reserve_(fcntl(0, F_DUPFD_CLOEXEC, 0)),
      session_prefix_(start_stamp()) {
  for (auto& [socket, name] : listeners) {
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    sys::must(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length), "getsockname");
    fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    const Address address = to_address(reinterpret_cast<sockaddr*>(&bound));
    listeners_.push_back(std::make_unique<Listener>(
        Listener{.socket = std::move(socket), .name = std::move(name), .ip = address.ip, .port = address.port}));
  }
}

Clients::~Clients() = default;

void Clients::serve() {
  if (released_) return;
  for (const auto& listener : listeners_) {
    const auto callback = [](evutil_socket_t, short, void* argument) noexcept {
      const auto& [clients, which] = *static_cast<std::pair<Clients*, Listener*>*>(argument);
      clients->accept_some(*which);
    };
    if (!listener->event) {
      listener->self = {this, listener.get()};
      listener->event.reset(event_new(base_, listener->socket.get(), EV_READ | EV_PERSIST, callback, &listener->self));
    }
    event_add(listener->event.get(), nullptr);
  }
}

void Clients::release() {
  released_ = true;
  for (const auto& listener : listeners_) {
    listener->event.reset();
    listener->socket.reset();
  }
}

void Clients::accept_some(const Listener& listener) {
  for (int i = 0; i < kAcceptAtOnce && !released_; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    sys::Fd socket(
        accept4(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      admit(listener, std::move(socket), reinterpret_cast<sockaddr*>(&address));
    } else if (errno == EMFILE || errno == ENFILE) {
      return out_of_descriptors(listener);
    } else if (errno == ENOBUFS || errno == ENOMEM) {
      return pause_accepting();
    } else if (errno == EAGAIN) {
      return;
    }  // anything else is about a client that is gone already (accept(2))
  }
}

void Clients::admit(const Listener& listener, sys::Fd socket, const sockaddr* address) {
  Address peer = to_address(address);
  const config::Limits& limits = generation_->config.limits;
  if (open_ >= most_open_ || (limits.connections != 0 && open_ >= limits.connections)) {
    return refuse(socket, smtp::replies::kTooManyConnections, peer.ip);
  }
  const bool counted = limits.connections_per_address != 0 && !peer.loopback;
  if (counted) {
    std::size_t& open_from_there = by_address_[peer.ip];
    if (open_from_there >= limits.connections_per_address) {
      return refuse(socket, smtp::replies::kTooManyFromYou, peer.ip);
    }
    ++open_from_there;
  }
  ++open_;
  ++counts_.connections;
  const auto place = static_cast<std::size_t>(socket.get());
  if (place >= connections_.size()) connections_.resize(place + 1);
  connections_[place] =
      std::make_unique<Connection>(*this, generation_,
                                   Connection::Start{.socket = std::move(socket),
                                                     .peer = {.address = std::move(peer.ip), .port = peer.port},
                                                     .listener = listener,
                                                     .number = ++sessions_,
                                                     .id = session_prefix_ + fmt::format("{:x}", sessions_),
                                                     .counted = counted});
  connections_[place]->begin();
}

void Clients::refuse(const sys::Fd& socket, std::string_view farewell, const std::string& peer) {
  ++counts_.refused;
  const std::string reply = smtp::farewell_reply(farewell, generation_->config.hostname);
  if (send(socket.get(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return;
  log_.info("refused client={} open={} reply={}", peer, open_,
            sys::quoted(std::string_view(reply).substr(0, reply.size() - 2)));
}

// A client that cannot be served is told so at once, with the descriptor that is kept for this; then the kernel keeps
// the others for a moment, instead of waking us for nothing over and over.
void Clients::out_of_descriptors(const Listener& listener) {
  reserve_.reset();
  if (const sys::Fd socket(accept4(listener.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      socket.valid()) {
    refuse(socket, smtp::replies::kTooManyConnections, "unknown");
  }
  reserve_.reset(fcntl(0, F_DUPFD_CLOEXEC, 0));
  pause_accepting();
}

void Clients::pause_accepting() {
  for (const auto& listener : listeners_) {
    if (listener->event) event_del(listener->event.get());
  }
  pause_timer_.set_at_latest(Clock::now() + kAcceptPause);
}

void Clients::on_deadline() {
  const auto now = Clock::now();
  while (Deadline* const over = deadlines_.take_expired(now)) static_cast<Connection*>(over)->time_is_up();
  if (const auto next = deadlines_.next()) deadline_timer_.set_at_latest(*next);
}

void Clients::shut_down_all() {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (connections_[i]) connections_[i]->shut_down();
  }
}

void Clients::remove(Connection& connection) {
  --open_;
  if (connection.counted()) {
    const auto there = by_address_.find(connection.session().peer().address);
    if (--there->second == 0) by_address_.erase(there);
  }
  closed_.push_back(std::move(connections_[static_cast<std::size_t>(connection.socket())]));
}

}  // namespace hooksmtpd::worker
