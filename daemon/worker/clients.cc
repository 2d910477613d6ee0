#include "daemon/worker/clients.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

#include "daemon/sys/error.h"
#include "daemon/worker/start_stamp.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {
namespace {

constexpr int kAcceptAtOnce = 64;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

struct Address {
  std::string ip;
  std::uint16_t port;
};

Address to_address(const sockaddr* address) {
  if (address->sa_family == AF_UNIX) return {};
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    return {text, ntohs(in->sin_port)};
  }
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address);
  inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
  return {text, ntohs(in6->sin6_port)};
}

unsigned some_chance() {
  unsigned chance = 0;
  sys::must(getrandom(&chance, sizeof chance, 0), "getrandom");
  return chance;
}

}  // namespace

Clients::Clients(event_base* base, sys::Log& log, Dispatcher& dispatcher, Spool& spool, const Keyholder& keyholder,
                 Subscriptions& subscriptions, std::vector<std::pair<sys::Fd, std::string>> listeners,
                 std::size_t most_open)
    : base_(base),
      log_(log),
      dispatcher_(dispatcher),
      spool_(spool),
      keyholder_(keyholder),
      tracer_(subscriptions.tracer()),
      messages_(subscriptions.messages()),
      most_open_(most_open),
      gate_(base, log, [this](Arrival arrival) { admit(std::move(arrival)); }),
      deadline_timer_(base, *this),
      pause_timer_(base, *this),
      reserve_(fcntl(0, F_DUPFD_CLOEXEC, 0)),
      session_prefix_(start_stamp(std::chrono::system_clock::now(), some_chance())) {
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
      arrived(listener, std::move(socket), reinterpret_cast<sockaddr*>(&address));
    } else if (errno == EMFILE || errno == ENFILE) {
      return out_of_descriptors(listener);
    } else if (errno == ENOBUFS || errno == ENOMEM) {
      return pause_accepting();
    } else if (errno == EAGAIN) {
      return;
    }  // anything else is about a client that is gone already (accept(2))
  }
}

void Clients::arrived(const Listener& listener, sys::Fd socket, const sockaddr* address) {
  Address peer = to_address(address);
  Arrival arrival{.socket = std::move(socket), .listener = &listener, .address = std::move(peer.ip), .port = peer.port};
  if (open() >= most_open_) return refuse(arrival, smtp::replies::kTooManyConnections);
  const Policy& policy = generation_->policy(listener.name);
  if (policy.from_proxy(arrival.address)) return gate_.wait(std::move(arrival), policy.timeouts().handshake);
  admit(std::move(arrival));
}

void Clients::admit(Arrival arrival) {
  const Policy& policy = generation_->policy(arrival.listener->name);
  const config::Limits& limits = policy.limits();
  if (limits.connections != 0 && open_ >= limits.connections) {
    return refuse(arrival, smtp::replies::kTooManyConnections);
  }
  AddressCounts::Place place;
  if (limits.connections_per_address != 0) {
    if (const auto client = counted_as(arrival.address)) {
      auto taken = by_address_.take(*client, limits.connections_per_address);
      if (!taken) return refuse(arrival, smtp::replies::kTooManyFromYou);
      place = *std::move(taken);
    }
  }
  ++open_;
  ++counts_.connections;
  const auto where = static_cast<std::size_t>(arrival.socket.get());
  if (where >= connections_.size()) connections_.resize(where + 1);
  connections_[where] =
      std::make_unique<Connection>(*this, generation_, policy,
                                   Connection::Start{.arrival = std::move(arrival),
                                                     .number = ++sessions_,
                                                     .id = session_prefix_ + fmt::format("{:x}", sessions_),
                                                     .place = std::move(place)});
  connections_[where]->begin();
}

// Where the client waits for TLS, words in the clear would only confuse it.
void Clients::refuse(const Arrival& arrival, std::string_view farewell) {
  ++counts_.refused;
  const Policy& policy = generation_->policy(arrival.listener->name);
  const std::string reply = smtp::farewell_reply(farewell, policy.settings().hostname);
  if (!policy.implicit_tls() &&
      send(arrival.socket.get(), reply.data(), reply.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    return;
  }
  log_.info("refused client={} open={} reply={}", shown_address(arrival.address), open(),
            sys::quoted(std::string_view(reply).substr(0, reply.size() - 2)));
}

// A client that cannot be served is told so at once, with the descriptor that is kept for this; then the kernel keeps
// the others for a moment, instead of waking us for nothing over and over.
void Clients::out_of_descriptors(const Listener& listener) {
  reserve_.reset();
  Arrival arrival{.socket = sys::Fd(accept4(listener.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)),
                  .listener = &listener,
                  .address = "unknown"};
  if (arrival.socket.valid()) refuse(arrival, smtp::replies::kTooManyConnections);
  arrival.socket.reset();
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
  gate_.close_all();
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (connections_[i]) connections_[i]->shut_down();
  }
}

void Clients::remove(Connection& connection) {
  --open_;
  closed_.push_back(std::move(connections_[static_cast<std::size_t>(connection.socket())]));
}

// Local time changes at most once a second.
smtp::Now Clients::now() {
  const std::time_t seconds = std::time(nullptr);
  if (now_.time.time_since_epoch().count() != seconds) {
    std::tm local{};
    localtime_r(&seconds, &local);
    now_ = {.time = std::chrono::sys_seconds(std::chrono::seconds(seconds)),
            .utc_offset = std::chrono::duration_cast<std::chrono::minutes>(std::chrono::seconds(local.tm_gmtoff))};
  }
  return now_;
}

}  // namespace hooksmtpd::worker
