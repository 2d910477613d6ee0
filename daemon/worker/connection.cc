#include "daemon/worker/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "daemon/worker/clients.h"
#include "proto/smtp/reply.h"

namespace hooksmtpd::worker {
namespace {

// Input and output that a client may make us keep. Beyond it the client is not read until it is less.
constexpr std::size_t kMaxKept = 64 * 1024;

// How long we wait, after our last word, for a client to read it and go.
constexpr auto kLinger = std::chrono::seconds(2);

std::string shown_recipients(const mail::Envelope& envelope) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, envelope.recipients.size()); ++i) {
    text += fmt::format("{}<{}>", i == 0 ? "" : ",", to_string(envelope.recipients[i].mailbox));
  }
  if (envelope.recipients.size() > kShown) text += fmt::format(",+{}", envelope.recipients.size() - kShown);
  return text;
}

hook::EndReason to_reason(smtp::End how) {
  switch (how) {
    case smtp::End::kNot:
      return hook::EndReason::kLost;
    case smtp::End::kQuit:
      return hook::EndReason::kQuit;
    case smtp::End::kTimeout:
      return hook::EndReason::kTimeout;
    case smtp::End::kShutdown:
      return hook::EndReason::kShutdown;
    case smtp::End::kLimit:
      return hook::EndReason::kLimit;
    case smtp::End::kHook:
      return hook::EndReason::kHook;
  }
  return hook::EndReason::kError;
}

}  // namespace

Connection::Connection(Clients& clients, GenerationPtr generation, Start start)
    : clients_(clients),
      generation_(std::move(generation)),
      socket_(std::move(start.socket)),
      listener_(start.listener),
      number_(start.number),
      counted_(start.counted),
      begun_(Clock::now()),
      session_(*this, generation_->settings, std::move(start.peer), std::move(start.id)) {
  event_assign(&event_, clients_.base_, socket_.get(), EV_READ | EV_PERSIST, on_event, this);
}

Connection::~Connection() { event_del(&event_); }

void Connection::begin() {
  session_.begin();
  settle();
}

void Connection::on_event(evutil_socket_t, short what, void* self) noexcept {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.closed_) return;
  if (connection.lingering_) return connection.linger();
  if (what & EV_READ) return connection.readable();
  connection.settle();
}

void Connection::readable() {
  // Message octets are used up at once; of commands, some may have to wait.
  const std::size_t room = session_.in_data() ? clients_.input_.size() : kMaxKept - input_.size();
  const ssize_t got = recv(socket_.get(), clients_.input_.data(), room, MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got < 0) return close(hook::EndReason::kLost);
  if (got == 0) {
    at_end_ = true;
    return settle();
  }
  bytes_received_ += static_cast<std::uint64_t>(got);
  feed({clients_.input_.data(), static_cast<std::size_t>(got)});
  settle();
}

// Gives the session what came, behind what it had left.
void Connection::feed(std::string_view bytes) {
  full_ = false;
  if (input_.empty()) {
    const std::size_t used = session_.receive(bytes);
    progress_ |= used > 0;
    input_ = bytes.substr(used);
    return;
  }
  input_ += bytes;
  const std::size_t used = session_.receive(input_);
  progress_ |= used > 0;
  input_.erase(0, used);
  if (input_.empty()) input_ = {};  // an idle session keeps no buffer
}

bool Connection::full() {
  full_ = output_.size() + clients_.replies_.size() >= kMaxKept;
  return full_;
}

void Connection::answer(smtp::QuestionId question, const mail::Verdict& verdict) {
  --questions_;
  session_.answer(question, verdict);
  if (!input_.empty()) feed({});
  settle();
}

void Connection::time_is_up() {
  if (session_.closed()) return close(reason_);
  if (!output_.empty()) return close(hook::EndReason::kTimeout);  // it does not even read
  session_.end(session_.in_data() ? smtp::Farewell::kSlowData
               : !input_.empty()  ? smtp::Farewell::kSlowCommand
                                  : smtp::Farewell::kIdle);
  settle();
}

void Connection::shut_down() {
  if (closed_ || session_.closed()) return;
  session_.end(smtp::Farewell::kShuttingDown);
  settle();
}

// After the session had its turn: sends what it said, and sees what to wait for next.
void Connection::settle() {
  if (!send_and_go_on()) return close(hook::EndReason::kLost);
  if (session_.closed()) {
    reason_ = to_reason(session_.how_ended());
    stop_asking();
  }
  if (session_.closed() && output_.empty()) {
    if (at_end_ || reason_ == hook::EndReason::kQuit) return close(reason_);
    // To close a socket that has unread input resets it, and our last word may be lost on the way.
    shutdown(socket_.get(), SHUT_WR);
    lingering_ = true;
  } else if (at_end_ && !session_.waiting() && output_.empty()) {
    return close(reason_);
  }
  watch();
  set_deadline();
}

// Sends, and has the session take the commands for which there was no room. False: the connection is lost.
bool Connection::send_and_go_on() {
  while (send_replies()) {
    if (!full_ || output_.size() >= kMaxKept || session_.closed()) return true;
    feed({});
  }
  return false;
}

// Nobody who still judges a question of this session can answer it.
void Connection::stop_asking() {
  if (std::exchange(questions_, 0) > 0) clients_.dispatcher_.forget(*this);
}

// False: the connection is lost.
bool Connection::send_replies() {
  std::string& replies = clients_.replies_;
  std::string_view left = replies;
  if (!output_.empty()) {
    output_ += replies;
    left = output_;
  }
  std::size_t sent = 0;
  while (sent < left.size()) {
    const ssize_t n = send(socket_.get(), left.data() + sent, left.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) {
      replies.clear();
      return false;
    }
    if (n < 0) break;
    sent += static_cast<std::size_t>(n);
  }
  bytes_sent_ += sent;
  if (sent == left.size()) {
    output_ = {};
  } else {
    output_ = std::string(left.substr(sent));
  }
  replies.clear();
  return true;
}

// Waits for the client to send, unless it has said enough, or to read, if it has something to read. For neither, if it
// will send nothing more and a hook has to answer first: that, or its time limit, wakes us.
void Connection::watch() {
  short wanted = 0;
  if (lingering_ || (!at_end_ && !session_.closed() && !full_ && input_.size() < kMaxKept)) {
    wanted |= EV_READ;
  }
  if (!output_.empty()) wanted |= EV_WRITE;
  if (wanted == watched_) return;
  event_del(&event_);
  if (wanted != 0) {
    event_assign(&event_, clients_.base_, socket_.get(), static_cast<short>(wanted | EV_PERSIST), on_event, this);
    event_add(&event_, nullptr);
  }
  watched_ = wanted;
}

// RFC 5321 §4.5.3.2. While we wait for a hook the client has all the time in the world.
void Connection::set_deadline() {
  const config::Timeouts& timeouts = generation_->config.timeouts;
  const bool in_command = !input_.empty() && !session_.waiting() && !session_.in_data() && !session_.closed();
  const bool was_in_command = std::exchange(command_begun_, in_command);
  const bool progress = std::exchange(progress_, false);
  if (session_.waiting() && output_.empty()) return clear();
  if (in_command && was_in_command && !progress) return;  // it runs from the first byte of the line
  clients_.deadlines_.set(*this,
                          session_.closed()    ? kLinger
                          : session_.in_data() ? timeouts.data
                          : in_command         ? timeouts.command
                                               : timeouts.idle,
                          Clock::now());
  clients_.deadline_timer_.set_at_latest(*clients_.deadlines_.next());
}

void Connection::linger() {
  const ssize_t got = recv(socket_.get(), clients_.input_.data(), clients_.input_.size(), MSG_DONTWAIT);
  if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) return;
  close(reason_);
}

void Connection::close(hook::EndReason reason) {
  if (std::exchange(closed_, true)) return;
  event_del(&event_);
  clear();
  stop_asking();
  if (const smtp::Transaction* transaction = session_.transaction()) transaction_over(*transaction, "");
  const smtp::Session::Counts& counts = session_.counts();
  const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun_);
  if (clients_.log_.enabled(sys::LogLevel::kInfo)) {
    clients_.log_.info(
        "session id={} client={} helo={} messages={} refused={} recipients={} errors={} bytes={} ms={} end={}",
        session_.id(), session_.peer().address, sys::quoted(session_.helo()), counts.messages_accepted,
        counts.messages_refused, counts.recipients_accepted, counts.errors, bytes_received_, duration.count(),
        hook::to_string(reason));
  }
  if (!generation_->chain(config::HookEvent::kDisconnect).empty()) {
    const hook::SessionFacts session = facts();
    clients_.dispatcher_.disconnected(*this, {.session = session,
                                              .duration = duration,
                                              .commands = counts.commands,
                                              .recipients = counts.recipients_accepted,
                                              .messages_accepted = counts.messages_accepted,
                                              .messages_refused = counts.messages_refused,
                                              .bytes_received = bytes_received_,
                                              .bytes_sent = bytes_sent_,
                                              .reason = reason});
  }
  clients_.remove(*this);
}

hook::SessionFacts Connection::facts() const {
  return {.id = session_.id(),
          .listener = listener_.name,
          .client = {.ip = session_.peer().address, .port = session_.peer().port},
          .server = {.ip = listener_.ip, .port = listener_.port},
          .helo = session_.helo(),
          .protocol = session_.helo().empty() ? ""
                      : session_.extended()   ? "ESMTP"
                                              : "SMTP"};
}

void Connection::reply(std::string_view wire) { clients_.replies_ += wire; }

void Connection::ask(smtp::QuestionId id, const smtp::Question& question) {
  ++questions_;
  clients_.dispatcher_.ask(*this, id, question);
}

void Connection::body(std::string_view run) {
  if (!body_) body_ = std::make_unique<Body>(clients_.spool_, session_.transaction()->id);
  body_->append(run);
}

void Connection::transaction_over(const smtp::Transaction& transaction, std::string_view reply) {
  body_.reset();
  if (!reply.empty()) {
    ++(smtp::code_of(reply) < 300 ? clients_.counts_.messages_accepted : clients_.counts_.messages_refused);
  }
  if (!clients_.log_.enabled(sys::LogLevel::kInfo)) return;
  clients_.log_.info("message id={} from=<{}> to={} size={} reply={}", transaction.id,
                     to_string(transaction.envelope.reverse_path), shown_recipients(transaction.envelope),
                     transaction.data.size(),
                     reply.empty() ? "none" : sys::quoted(reply.substr(0, reply.find("\r\n"))));
}

// Local time changes at most once a second.
smtp::Now Connection::now() {
  const std::time_t seconds = std::time(nullptr);
  smtp::Now& cached = clients_.now_;
  if (cached.time.time_since_epoch().count() != seconds) {
    std::tm local{};
    localtime_r(&seconds, &local);
    cached = {.time = std::chrono::sys_seconds(std::chrono::seconds(seconds)),
              .utc_offset = std::chrono::duration_cast<std::chrono::minutes>(std::chrono::seconds(local.tm_gmtoff))};
  }
  return cached;
}

std::string Connection::nonce() {
  std::array<unsigned char, 24> random{};
  if (getentropy(random.data(), random.size()) != 0) std::abort();  // it cannot fail for so few
  return fmt::format("{:02x}", fmt::join(random, ""));
}

}  // namespace hooksmtpd::worker
