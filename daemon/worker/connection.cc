#include "daemon/worker/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>

#include "daemon/worker/clients.h"
#include "daemon/worker/session_log.h"
#include "daemon/worker/tls_facts.h"

namespace hooksmtpd::worker {
namespace {

// Input and output that a client may make us keep. Beyond it the client is not read until it is less.
constexpr std::size_t kMaxKept = 64 * 1024;

// How long we wait, after our last word, for a client to read it and go.
constexpr auto kLinger = std::chrono::seconds(2);

}  // namespace

Connection::Connection(Clients& clients, GenerationPtr generation, const Policy& policy, Start start)
    : clients_(clients),
      generation_(std::move(generation)),
      policy_(policy),
      stream_(std::move(start.arrival.socket)),
      listener_(*start.arrival.listener),
      number_(start.number),
      place_(std::move(start.place)),
      proxy_(std::move(start.arrival.proxy)),
      begun_(Clock::now()),
      session_(*this, policy_.settings(),
               {.address = start.arrival.address,
                .port = start.arrival.port,
                .may_xclient = policy_.may_xclient(start.arrival.address)},
               std::move(start.id)) {
  event_assign(&event_, clients_.base_, socket(), EV_READ | EV_PERSIST, on_event, this);
}

Connection::~Connection() { event_del(&event_); }

void Connection::begin() {
  if (clients_.tracer_.listening()) clients_.tracer_.begun(traced());
  if (clients_.dispatcher_.notices().dialogue_wanted(*this)) dialogue_ = std::make_unique<Dialogue>();
  if (policy_.implicit_tls()) return start_handshake();
  begun_session_ = true;
  session_.begin();
  settle();
}

void Connection::on_event(evutil_socket_t, short what, void* self) noexcept {
  auto& connection = *static_cast<Connection*>(self);
  if (what & EV_TIMEOUT) connection.watched_ = 0;  // libevent has taken it out (timeout_process() in its event.c)
  switch (connection.stage_) {
    case Stage::kHandshake:
      return connection.shake_hands();
    case Stage::kSession:
      if (connection.yielded_) {
        connection.feed({});
      } else if ((what & (connection.reads_on_ | EV_TIMEOUT)) && connection.wants_input()) {
        connection.read_some();
      }
      if (connection.stage_ == Stage::kSession) connection.settle();
      return;
    case Stage::kLingering:
      if (!connection.stream_.discard(connection.clients_.input_)) connection.close(connection.reason_);
      return;
    case Stage::kClosed:
      return;
  }
}

bool Connection::tls_available() { return clients_.tls_context() != nullptr; }

// A session that began with an older configuration still gets the certificates of today.
void Connection::start_handshake() {
  stage_ = Stage::kHandshake;
  const tls::Context* const context = clients_.tls_context();
  if (!context) return handshake_failed("nobody can sign now", hook::EndReason::kError);
  secured_by_ = clients_.generation_;
  if (!stream_.start_tls(*context)) return handshake_failed("out of memory", hook::EndReason::kError);
  set_deadline(policy_.timeouts().handshake);
  shake_hands();
}

void Connection::shake_hands() {
  switch (stream_.handshake().result) {
    case Stream::Result::kWantsRead:
      return watch_for(EV_READ);
    case Stream::Result::kWantsWrite:
      return watch_for(EV_WRITE);
    case Stream::Result::kDone:
      break;
    case Stream::Result::kEnd:
    case Stream::Result::kLost:
      return handshake_failed(stream_.failure(), hook::EndReason::kError);
  }
  ++clients_.counts_.handshakes;
  stage_ = Stage::kSession;
  session_.secured(tls_facts(stream_.tls()));
  const smtp::TlsFacts& tls = *session_.tls();
  clients_.log_.debug(about(), "tls id={} client={} version={} cipher={} name={} subject={}", session_.id(),
                      shown_address(session_.peer().address), tls.version, tls.cipher, sys::quoted(tls.server_name),
                      sys::quoted(tls.client_subject));
  if (clients_.tracer_.listening()) clients_.tracer_.tls(traced(), tls.version, tls.cipher);
  if (dialogue_) dialogue_->tls(since_begin(), tls.version, tls.cipher);
  if (!std::exchange(begun_session_, true)) session_.begin();
  settle();
}

void Connection::handshake_failed(std::string_view reason, hook::EndReason how) {
  ++clients_.counts_.handshakes_failed;
  clients_.log_.info(about(), "tls id={} client={} failed reason={}", session_.id(),
                     shown_address(session_.peer().address), sys::quoted(reason));
  reason_ = how;
  linger();
}

bool Connection::wants_input() const { return !at_end_ && !session_.closed() && !full_ && input_.size() < kMaxKept; }

void Connection::read_some() {
  // Message octets are used up at once; of commands, some may have to wait.
  const std::size_t room = session_.in_data() ? clients_.input_.size() : kMaxKept - input_.size();
  const Stream::Transfer got = stream_.read(std::span(clients_.input_).first(room));
  switch (got.result) {
    case Stream::Result::kDone:
      reads_on_ = EV_READ;
      bytes_received_ += got.bytes;
      return feed({clients_.input_.data(), got.bytes});
    case Stream::Result::kWantsRead:
      reads_on_ = EV_READ;
      return;
    case Stream::Result::kWantsWrite:
      reads_on_ = EV_WRITE;
      return;
    case Stream::Result::kEnd:
      at_end_ = true;
      return;
    case Stream::Result::kLost:
      return lost();
  }
}

// Gives the session what came, behind what it had left.
void Connection::feed(std::string_view bytes) {
  full_ = false;
  yielded_ = false;
  if (input_.empty()) {
    const std::size_t used = session_.receive(bytes);
    progress_ |= used > 0;
    input_ = bytes.substr(used);
    yielded_ &= !input_.empty();
    return;
  }
  input_ += bytes;
  const std::size_t used = session_.receive(input_);
  progress_ |= used > 0;
  input_.erase(0, used);
  yielded_ &= !input_.empty();
  if (input_.empty()) input_ = {};  // an idle session keeps no buffer
}

bool Connection::full() {
  full_ = yielded_ || output_.size() + clients_.replies_.size() >= kMaxKept;
  return full_;
}

void Connection::answer(smtp::QuestionId question, const mail::Verdict& verdict) {
  --questions_;
  session_.answer(question, verdict);
  if (!input_.empty()) feed({});
  settle();
}

void Connection::time_is_up() {
  if (stage_ == Stage::kLingering || session_.closed()) return close(reason_);
  if (stage_ == Stage::kHandshake) return handshake_failed("no handshake in time", hook::EndReason::kTimeout);
  if (!output_.empty()) return close(hook::EndReason::kTimeout);  // it does not even read
  session_.end(session_.in_data() ? smtp::Farewell::kSlowData
               : !input_.empty()  ? smtp::Farewell::kSlowCommand
                                  : smtp::Farewell::kIdle);
  settle();
}

void Connection::shut_down() {
  if (stage_ == Stage::kHandshake) return close(hook::EndReason::kShutdown);
  if (stage_ != Stage::kSession || session_.closed()) return;
  session_.end(smtp::Farewell::kShuttingDown);
  settle();
}

// After the session had its turn: sends what it said, and sees what to wait for next.
void Connection::settle() {
  if (session_.how_ended() == smtp::End::kDropped) return drop();
  if (!send_and_go_on()) return lost();
  if (session_.starting_tls() && output_.empty()) return start_handshake();
  if (session_.closed()) {
    reason_ = to_reason(session_.how_ended());
    stop_asking();
  }
  if (session_.closed() && output_.empty()) {
    if (at_end_ || reason_ == hook::EndReason::kQuit) {
      stream_.say_end();
      return close(reason_);
    }
    return linger();
  }
  if (at_end_ && !yielded_ && !session_.waiting() && output_.empty()) {
    stream_.say_end();
    return close(reason_);
  }
  watch();
  set_deadline();
}

// Sends, and has the session take the commands for which there was no room. False: the connection is lost.
bool Connection::send_and_go_on() {
  while (send_replies()) {
    if (!full_ || yielded_ || output_.size() >= kMaxKept || session_.closed()) return true;
    feed({});
  }
  return false;
}

// Nobody who still judges a question of this session can answer it.
void Connection::stop_asking() {
  if (std::exchange(questions_, 0) > 0) clients_.dispatcher_.forget(*this);
  clients_.dispatcher_.notices().forget(*this);
}

// False: the connection is lost.
bool Connection::send_replies() {
  std::string& replies = clients_.replies_;
  std::string_view left = replies;
  if (!output_.empty()) {
    output_ += replies;
    left = output_;
  }
  Stream::Transfer sent{Stream::Result::kDone};
  if (!left.empty()) sent = stream_.write(left);
  bytes_sent_ += sent.bytes;
  if (sent.bytes == left.size()) {
    output_ = {};
  } else {
    output_ = std::string(left.substr(sent.bytes));
  }
  replies.clear();
  writes_on_ = sent.result == Stream::Result::kWantsRead ? EV_READ : EV_WRITE;
  return sent.result != Stream::Result::kLost;
}

// Waits for the client to send, unless it has said enough, or to read, if it has something to read. For neither, if it
// will send nothing more and a hook has to answer first: that, or its time limit, wakes us.
void Connection::watch() {
  const bool reading = wants_input() || yielded_;
  watch_for(static_cast<short>((reading ? reads_on_ : 0) | (output_.empty() ? 0 : writes_on_)));
  // The socket will not tell of what has already been read from it: the next turn does. A turn for each such piece, and
  // for each password that is checked, so that others have theirs.
  constexpr timeval kNextTurn{};
  if (yielded_ || (reading && stream_.ready())) event_add(&event_, &kNextTurn);
}

void Connection::watch_for(short wanted) {
  if (wanted == watched_) return;
  event_del(&event_);
  if (wanted != 0) {
    event_assign(&event_, clients_.base_, socket(), static_cast<short>(wanted | EV_PERSIST), on_event, this);
    event_add(&event_, nullptr);
  }
  watched_ = wanted;
}

// RFC 5321 §4.5.3.2. While we wait for a hook the client has all the time in the world.
void Connection::set_deadline() {
  const config::Timeouts& timeouts = policy_.timeouts();
  const bool in_command = !input_.empty() && !session_.waiting() && !session_.in_data() && !session_.closed();
  const bool was_in_command = std::exchange(command_begun_, in_command);
  const bool progress = std::exchange(progress_, false);
  if (session_.waiting() && output_.empty()) return clear();
  if (in_command && was_in_command && !progress) return;  // it runs from the first byte of the line
  set_deadline(session_.closed()    ? kLinger
               : session_.in_data() ? timeouts.data
               : in_command         ? timeouts.command
                                    : timeouts.idle);
}

void Connection::set_deadline(std::chrono::milliseconds limit) {
  clients_.deadlines_.set(*this, limit, Clock::now());
  clients_.deadline_timer_.set_at_latest(*clients_.deadlines_.next());
}

// To close a socket that has unread input resets it, and our last word may be lost on the way.
void Connection::linger() {
  stream_.finish();
  stage_ = Stage::kLingering;
  watch_for(EV_READ);
  set_deadline(kLinger);
}

void Connection::lost() {
  clients_.replies_.clear();
  if (const std::string reason = stream_.failure(); !reason.empty()) {
    clients_.log_.info(about(), "tls id={} client={} lost reason={}", session_.id(),
                       shown_address(session_.peer().address), sys::quoted(reason));
  }
  close(hook::EndReason::kLost);
}

// Without a word, as if the machine had gone: what is not sent yet is thrown away, and the client's next octet or
// read meets a reset.
void Connection::drop() {
  clients_.replies_.clear();
  constexpr struct linger kReset{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket(), SOL_SOCKET, SO_LINGER, &kReset, sizeof kReset);
  stop_asking();
  close(hook::EndReason::kHook);
}

void Connection::close(hook::EndReason reason) {
  if (std::exchange(stage_, Stage::kClosed) == Stage::kClosed) return;
  event_del(&event_);
  clear();
  stop_asking();
  if (session_.transaction()) transaction_lost();
  const smtp::Session::Counts& counts = session_.counts();
  clients_.counts_.chunks += counts.chunks;
  const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun_);
  if (clients_.log_.enabled(sys::LogLevel::kInfo)) {
    clients_.log_.write(
        sys::LogLevel::kInfo,
        session_line(session_,
                     {.proxy = proxy_, .bytes_received = bytes_received_, .duration = duration, .reason = reason}),
        about());
  }
  if (!policy_.chain(config::HookEvent::kDisconnect).empty()) {
    clients_.dispatcher_.notices().disconnected(*this,
                                                {.session = snapshot()->facts(),
                                                 .duration = duration,
                                                 .commands = counts.commands,
                                                 .recipients = counts.recipients_accepted,
                                                 .messages_accepted = counts.messages_accepted,
                                                 .messages_refused = counts.messages_refused,
                                                 .bytes_received = bytes_received_,
                                                 .bytes_sent = bytes_sent_,
                                                 .reason = reason},
                                                dialogue_ ? dialogue_->json() : std::string_view());
  }
  if (clients_.tracer_.listening()) clients_.tracer_.over(traced(), reason);
  clients_.remove(*this);
}

}  // namespace hooksmtpd::worker
