#include "tests/bench/load/engine.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace hooksmtpd::bench {
namespace {

constexpr std::array<int, 11> kExpected{0, 220, 250, 250, 250, 354, 250, 221, 0, 0, 250};  // by Step
constexpr std::chrono::seconds kPatience{60};                                              // without any reply
constexpr std::size_t kOpening = 128;  // connections on their way at once

[[noreturn]] void die(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl((127u << 24) + host);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

}  // namespace

Engine::Engine(const Options& options, const Dialogue& dialogue, Job job)
    : options_(options), dialogue_(dialogue), job_(job), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) die("epoll_create1");
  if (options_.tls) tls_.emplace(options_.resume ? TlsClient::Sessions::kResume : TlsClient::Sessions::kNew);
}

Engine::~Engine() {
  for (Connection& connection : connections_) close(connection);
  ::close(epoll_);
}

void Engine::open(Connection& connection) {
  connection = Connection{};
  connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection.fd < 0) die("socket");
  const int one = 1;
  setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  // Many short connections would run out of ports on one source address.
  setsockopt(connection.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  const sockaddr_in source = loopback(2 + next_source_++ % 200, 0), server = loopback(1, options_.port);
  if (bind(connection.fd, generic(source), sizeof source) != 0) die("bind");
  if (connect(connection.fd, generic(server), sizeof server) != 0 && errno != EINPROGRESS) die("connect");
  connection.wire = tls_ ? Wire(connection.fd, *tls_) : Wire(connection.fd);
  connection.waits_to_write = true;
  epoll_event event{.events = EPOLLIN | EPOLLOUT, .data = {.ptr = &connection}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  ++open_;
  ++opened_;
}

void Engine::close(Connection& connection) {
  if (connection.fd < 0) return;
  ::close(connection.fd);
  connection.fd = -1;
  --open_;
}

void Engine::fail(Connection& connection, std::string_view what) {
  if (errors_++ < 5) fmt::print(stderr, "smtpload: {}\n", what);
  close(connection);
}

void Engine::write(Connection& connection) {
  while (!connection.unsent.empty()) {
    std::size_t sent = 0;
    const Wire::State state = connection.wire.write(connection.unsent, sent);
    if (state == Wire::State::kWaits) break;
    if (state != Wire::State::kOk) return fail(connection, fmt::format("send: {}", std::strerror(errno)));
    connection.unsent.remove_prefix(sent);
    last_reply_ = Clock::now();
  }
  const bool waits = !connection.unsent.empty();
  if (waits == connection.waits_to_write) return;
  connection.waits_to_write = waits;
  epoll_event event{.events = EPOLLIN | (waits ? EPOLLOUT : 0u), .data = {.ptr = &connection}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
}

void Engine::say(Connection& connection, Step step, std::string_view text) {
  connection.step = step;
  connection.unsent = text;
  write(connection);
}

// After EHLO and after each message: another message, or QUIT.
void Engine::next_message(Connection& connection) {
  if (job_ == Job::kHold) {
    connection.step = Step::kHeld;
    ++held_;
    return;
  }
  if (connection.messages == options_.messages || time_is_up()) return say(connection, Step::kQuit, dialogue_.quit);
  ++connection.messages;
  connection.recipients = 0;
  connection.mail_sent = Clock::now();
  say(connection, Step::kMail, options_.pipelining ? dialogue_.group : dialogue_.mail);
}

// One reply line. Those of a group come in the order of its commands.
void Engine::reply(Connection& connection, std::string_view line) {
  if (line.size() < 3) return fail(connection, fmt::format("a short reply: {}", line));
  if (connection.step == Step::kEhlo && line.substr(3).find("PIPELINING") == 1) connection.pipelining = true;
  if (line.size() > 3 && line[3] == '-') return;
  int code = 0;
  std::from_chars(line.data(), line.data() + 3, code);
  if (code != kExpected[static_cast<std::size_t>(connection.step)]) {
    return fail(connection, fmt::format("unexpected reply: {}", line));
  }
  switch (connection.step) {
    case Step::kGreeting:
      return say(connection, Step::kEhlo, dialogue_.ehlo);
    case Step::kEhlo:
      if (options_.pipelining && !connection.pipelining) return fail(connection, "the server offers no PIPELINING");
      return next_message(connection);
    case Step::kMail:
      if (!options_.pipelining) return say(connection, Step::kRcpt, dialogue_.rcpt);
      connection.step = Step::kRcpt;
      return;
    case Step::kRcpt:
      if (!options_.pipelining) return say(connection, Step::kData, dialogue_.data);
      if (++connection.recipients < options_.recipients) return;
      connection.step = Step::kData;
      return;
    case Step::kData:
      return say(connection, Step::kBody, dialogue_.body);
    case Step::kBody:
      ++completed_;
      milliseconds_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - connection.mail_sent).count());
      return next_message(connection);
    case Step::kQuit:
      if (options_.messages == 0) ++completed_;
      connection.step = Step::kEnd;  // the server closes first (RFC 5321 §4.1.1.10)
      return;
    case Step::kNoop:
      connection.step = Step::kHeld;
      ++held_;
      return;
    case Step::kHandshake:
    case Step::kEnd:
    case Step::kHeld:
      return fail(connection, fmt::format("a reply to nothing: {}", line));
  }
}

// Once connected; what is left to wait for then is the greeting.
void Engine::shake_hands(Connection& connection) {
  const Wire::State state = connection.wire.handshake();
  if (state == Wire::State::kEnd || state == Wire::State::kBroken) return fail(connection, "no TLS, or not resumed");
  if (state == Wire::State::kOk) connection.step = Step::kGreeting;
  write(connection);  // nothing: only what epoll waits for
}

// All that is there: TLS may have read more from the socket than it gives at once.
void Engine::readable(Connection& connection) {
  static std::array<char, 64 * 1024> buffer;
  while (connection.fd >= 0) {
    std::size_t received = 0;
    const Wire::State state = connection.wire.read(buffer, received);
    if (state == Wire::State::kWaits) return;
    if (state != Wire::State::kOk && connection.step == Step::kEnd) return close(connection);
    if (state == Wire::State::kEnd) return fail(connection, "the server closed the connection");
    if (state != Wire::State::kOk) return fail(connection, fmt::format("recv: {}", std::strerror(errno)));
    last_reply_ = Clock::now();
    read_lines(connection, {buffer.data(), received});
    if (!tls_) return;
  }
}

void Engine::read_lines(Connection& connection, std::string_view text) {
  std::string joined;
  if (!connection.unread.empty()) {
    joined = std::move(connection.unread) + std::string(text);
    text = joined;
  }
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    reply(connection, line);
    if (connection.fd < 0) return;
  }
  connection.unread = text;
}

void Engine::pump() {
  epoll_event events[512];
  const int ready = epoll_wait(epoll_, events, 512, options_.rate == 0 ? 100 : 1);
  for (int i = 0; i < ready; ++i) {
    Connection& connection = *static_cast<Connection*>(events[i].data.ptr);
    if (connection.fd >= 0 && connection.step == Step::kHandshake) shake_hands(connection);
    if (connection.fd >= 0 && connection.step == Step::kHandshake) continue;
    if (connection.fd >= 0 && (events[i].events & ~static_cast<std::uint32_t>(EPOLLOUT))) readable(connection);
    if (connection.fd >= 0 && (events[i].events & EPOLLOUT)) write(connection);
  }
  if (Clock::now() - last_reply_ > kPatience) throw std::runtime_error("the server has stopped answering");
}

bool Engine::may_open() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  const bool in_time =
      options_.rate == 0 || static_cast<double>(opened_) < static_cast<double>(options_.rate) * seconds;
  return in_time && errors_ < 50 && !time_is_up();
}

void Engine::send_for(std::chrono::duration<double> time) {
  connections_.resize(options_.connections);
  deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  do {
    for (Connection& connection : connections_) {
      if (connection.fd < 0 && may_open()) open(connection);
    }
    pump();
  } while (open_ > 0 || (errors_ < 50 && !time_is_up()));  // all may have closed in one turn
}

void Engine::hold(std::size_t count) {
  connections_.resize(count);
  for (std::size_t next = 0; held_ < count && errors_ == 0;) {
    while (next < count && open_ - held_ < kOpening) open(connections_[next++]);
    pump();
  }
}

void Engine::noop_on_all() {
  held_ = 0;
  for (Connection& connection : connections_) say(connection, Step::kNoop, dialogue_.noop);
  while (held_ < connections_.size() && errors_ == 0) pump();
}

}  // namespace hooksmtpd::bench
