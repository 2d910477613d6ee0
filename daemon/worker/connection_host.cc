// What the Session of a connection says and asks, and what others are told of it: its replies, its questions, its
// messages.

#include <sys/random.h>

#include <array>
#include <cassert>
#include <utility>
#include <variant>

#include "daemon/worker/clients.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/session_log.h"
#include "daemon/worker/tls_facts.h"
#include "proto/sasl/base64.h"
#include "proto/smtp/reply.h"

namespace hooksmtpd::worker {
namespace {

// Where the Subject of a large message is looked for.
constexpr std::size_t kMaxHead = 64 * 1024;

std::string subject_of(const Body& body) {
  return body.size() <= kMaxBodyInMemory ? subject_of_message(body.in_memory())
                                         : subject_of_message(body.head(kMaxHead));
}

}  // namespace

const SnapshotPtr& Connection::snapshot() {
  const hook::SessionFacts now{.id = session_.id(),
                               .listener = listener_.name,
                               .client = {.ip = session_.peer().address, .port = session_.peer().port},
                               .server = {.ip = listener_.ip, .port = listener_.port},
                               .helo = session_.helo(),
                               .protocol = session_.protocol(),
                               .user = session_.user()};
  if (!snapshot_ || !snapshot_->shows(now, session_.tls() != nullptr)) {
    snapshot_ = std::make_shared<const Snapshot>(now, session_.tls());
  }
  return snapshot_;
}

TracedSession Connection::traced() const {
  return {.subject = {.session = session_.id(), .listener = listener_.name, .client = session_.peer().address},
          .begun = begun_};
}

SinceBegin Connection::since_begin() const { return Clock::now() - begun_; }

bool Connection::listening() const { return dialogue_ || clients_.tracer_.listening(); }

void Connection::heard(std::string_view line) {
  if (dialogue_) dialogue_->client(since_begin(), line);
  if (clients_.tracer_.listening()) clients_.tracer_.client(traced(), line);
}

void Connection::heard_data(std::uint64_t octets) {
  if (dialogue_) dialogue_->client_octets(since_begin(), octets);
  if (clients_.tracer_.listening()) clients_.tracer_.client_octets(traced(), octets);
}

void Connection::hook_said(const HookEntry& entry) {
  if (dialogue_) dialogue_->hook(since_begin(), entry);
}

void Connection::reply(std::string_view wire) {
  if (dialogue_) dialogue_->server(since_begin(), wire);
  if (clients_.tracer_.listening()) clients_.tracer_.server(traced(), wire);
  clients_.replies_ += wire;
}

// Whoever gets the message keeps it; its subject is all that we want to remember.
std::unique_ptr<Body> Connection::take_body() {
  subject_ = subject_of(*body_);
  return std::move(body_);
}

void Connection::ask(smtp::QuestionId id, const smtp::Question& question) {
  ++questions_;
  delivering_ = std::holds_alternative<smtp::question::Message>(question);
  clients_.dispatcher_.ask(*this, id, question);
}

void Connection::body(std::string_view run) {
  if (!body_) body_ = std::make_unique<Body>(clients_.spool_, session_.transaction()->id);
  body_->append(run);
}

// The hooks that are asked about a message learn from the dispatcher what becomes of it.
void Connection::transaction_lost() {
  const smtp::Transaction& transaction = *session_.transaction();
  if (!delivering_) clients_.dispatcher_.notices().reset(*this, transaction.id, hook::ResetReason::kLost);
  over(transaction, "");
}

void Connection::transaction_over(const smtp::Transaction& transaction, std::string_view reply,
                                  smtp::TransactionEnd why) {
  if (const auto reason = to_reason(why)) clients_.dispatcher_.notices().reset(*this, transaction.id, *reason);
  over(transaction, reply);
}

void Connection::over(const smtp::Transaction& transaction, std::string_view reply) {
  delivering_ = false;
  added_ = {};
  if (body_) subject_ = subject_of(*body_);  // no hook wanted it
  body_.reset();
  if (!reply.empty() && smtp::code_of(reply) < 300) remember(transaction);
  subject_ = {};
  if (!reply.empty()) {
    ++(smtp::code_of(reply) < 300 ? clients_.counts_.messages_accepted : clients_.counts_.messages_refused);
  }
  if (!clients_.log_.enabled(sys::LogLevel::kInfo)) return;
  clients_.log_.write(sys::LogLevel::kInfo, message_line(transaction, reply),
                      {.session = session_.id(), .transaction = transaction.id});
}

void Connection::remember(const smtp::Transaction& transaction) {
  clients_.messages_.accepted({.transaction = transaction.id,
                               .session = session_.id(),
                               .listener = listener_.name,
                               .client = session_.peer().address,
                               .user = session_.user(),
                               .envelope = transaction.envelope,
                               .size = transaction.data.size(),
                               .subject = subject_});
}

void Connection::auth_over(sasl::Mechanism mechanism, std::string_view user, std::string_view reply) {
  const int code = smtp::code_of(reply);
  ++(code == 235 ? clients_.counts_.logins : clients_.counts_.logins_failed);
  clients_.log_.info(about(), "auth id={} client={} user={} mechanism={} verdict={} code={}", session_.id(),
                     shown_address(session_.peer().address), sys::quoted(user), to_string(mechanism),
                     code == 235  ? "accept"
                     : code < 500 ? "defer"
                                  : "reject",
                     code);
  yielded_ = policy_.settings().auth.users != nullptr;
}

smtp::Now Connection::now() { return clients_.now(); }

// 144 bits, so that no two are the same (RFC 5802 §5.1: r=).
std::string Connection::nonce() {
  std::array<char, 18> random{};
  [[maybe_unused]] const ssize_t got = getrandom(random.data(), random.size(), 0);
  assert(got == static_cast<ssize_t>(random.size()) && "getrandom(2) does not fail for so few");
  return sasl::base64_encode({random.data(), random.size()});
}

}  // namespace hooksmtpd::worker
