#include "proto/smtp/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "proto/smtp/command.h"
#include "proto/smtp/help.h"
#include "proto/smtp/limits.h"
#include "proto/smtp/parameters.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/reply.h"
#include "proto/smtp/trace.h"
#include "proto/smtp/verdict_reply.h"

namespace hooksmtpd::smtp {
namespace {

// A bit for each state.
constexpr unsigned in(auto... states) { return ((1u << static_cast<unsigned>(states)) | ...); }

}  // namespace

// What most sessions have not.
struct Session::Extras {
  std::optional<TlsFacts> tls;
  std::string user;
};

// Which command may come when (§4.1.4), in the order of Verb. Out of place: 503, and no handler runs.
struct Session::Rule {
  Verb verb;
  unsigned where;  // in(State::kThis, State::kThat)
  void (Session::*handler)(std::string_view arguments);

  static constexpr unsigned kGreeted = in(State::kConnected, State::kReady, State::kMail, State::kRcpt);
  static constexpr unsigned kAnywhere = kGreeted | in(State::kDenied);
  static const Rule kTable[];
};

const Session::Rule Session::Rule::kTable[] = {
    {Verb::kEhlo, kGreeted, &Session::ehlo},          {Verb::kHelo, kGreeted, &Session::helo},
    {Verb::kMail, in(State::kReady), &Session::mail}, {Verb::kRcpt, in(State::kMail, State::kRcpt), &Session::rcpt},
    {Verb::kData, in(State::kRcpt), &Session::data},  {Verb::kRset, kGreeted, &Session::rset},
    {Verb::kNoop, kGreeted, &Session::noop},          {Verb::kQuit, kAnywhere, &Session::quit},
    {Verb::kVrfy, kGreeted, &Session::vrfy},          {Verb::kExpn, kGreeted, &Session::expn},
    {Verb::kHelp, kGreeted, &Session::help_topic},    {Verb::kUnknown, kGreeted, &Session::unknown},
};

// Our name stands between the codes and the text (§4.3.2: 421 <domain>).
std::string farewell_reply(std::string_view farewell, std::string_view hostname) {
  const std::size_t space = farewell.find(' ');
  const std::string text = fmt::format("{}{}", hostname, farewell.substr(space));
  return std::string(Reply::make(421, farewell.substr(0, space), text).wire());
}

Session::Session(Host& host, const Settings& settings, Peer peer, std::string id)
    : host_(host), settings_(settings), peer_(std::move(peer)), id_(std::move(id)) {}

Session::~Session() = default;

std::string_view Session::user() const { return extras_ ? std::string_view(extras_->user) : std::string_view(); }

const TlsFacts* Session::tls() const { return extras_ && extras_->tls ? &*extras_->tls : nullptr; }

std::string_view Session::protocol() const { return helo_.empty() ? "" : extended_ ? "ESMTP" : "SMTP"; }

void Session::secured(TlsFacts facts) {
  extras_ = std::make_unique<Extras>(Extras{.tls = std::move(facts), .user = {}});
  if (starting_tls()) state_ = State::kConnected;
}

void Session::begin() {
  if (settings_.judged.host) return ask(question::Host{});
  greet();
}

std::size_t Session::receive(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !closed() && !starting_tls() && !host_.full()) {
    const std::string_view rest = bytes.substr(used);
    if (in_data()) {
      used += receive_data(rest);
      continue;
    }
    const std::size_t lf = rest.find('\n');
    if (lf == std::string_view::npos) {
      if (skipped_ == 0 && rest.size() <= kMaxCommandLine) break;
      skipped_ += static_cast<std::uint32_t>(rest.size());
      used = bytes.size();
      if (skipped_ > kMaxSkippedLine) end(End::kLimit, replies::kEndlessLine);
      break;
    }
    const std::string_view line = rest.substr(0, lf + 1);
    if (waiting() && !may_run_beside_questions(line)) break;
    used += line.size();
    if (std::exchange(skipped_, 0) > 0 || line.size() > kMaxCommandLine) {
      say(replies::kLineTooLong);
    } else if (!line.ends_with("\r\n")) {
      say(replies::kBareLf);  // §2.3.8; nothing of the line runs
    } else {
      command(line.substr(0, line.size() - 2));
    }
  }
  return closed() || starting_tls() ? bytes.size() : used;
}

// Only RCPTs may, and only beside other RCPTs: what MAIL was told decides whether they mean anything.
bool Session::may_run_beside_questions(std::string_view line) const {
  const auto is_recipient = [](const Slot& slot) {
    return !slot.question || std::holds_alternative<question::Recipient>(*slot.question);
  };
  return slots_.size() < kMaxQuestions && (state_ == State::kMail || state_ == State::kRcpt) &&
         split_command(line.substr(0, line.find_last_not_of("\r\n") + 1)).verb == Verb::kRcpt &&
         std::ranges::all_of(slots_, is_recipient);
}

void Session::command(std::string_view line) {
  ++counts_.commands;
  if (settings_.commands != 0 && counts_.commands > settings_.commands)
    return end(End::kLimit, replies::kTooManyCommands);
  if (!is_printable(line)) return say(replies::kNotPrintable);
  const auto [verb, arguments] = split_command(line);
  const Rule& rule = Rule::kTable[static_cast<std::size_t>(verb)];
  assert(rule.verb == verb);
  if (rule.where & in(state_)) return (this->*rule.handler)(arguments);
  if (state_ == State::kDenied) return say(replies::kBadSequence);
  if (state_ == State::kConnected) return say(replies::kHeloFirst);
  if (verb == Verb::kMail) return say(replies::kNestedMail);
  say(state_ == State::kMail ? replies::kNoRecipient : replies::kNoSender);
}

// The handlers. That each came in its place is settled by the table.

void Session::ehlo(std::string_view arguments) {
  const auto name = parse_helo(arguments);
  if (!name) return say(name.error());
  introduce(*name, true);
}

void Session::helo(std::string_view arguments) {
  const auto name = parse_helo(arguments);
  if (!name) return say(name.error());
  introduce(*name, false);
}

// A second EHLO is welcome and works like RSET (§4.1.4).
void Session::introduce(std::string_view name, bool extended) {
  forget_transaction();
  helo_ = name;
  extended_ = extended;
  state_ = State::kReady;
  const std::string hello =
      fmt::format("{} Hello {} [{}], pleased to meet you", settings_.hostname, name, peer_.address);
  if (!extended) return say(Reply::make(250, "", hello).wire());
  const std::string lines[] = {hello,      "PIPELINING",          fmt::format("SIZE {}", settings_.message_size),
                               "8BITMIME", "ENHANCEDSTATUSCODES", "HELP"};
  say(Reply::make(250, "", lines).wire());
}

void Session::mail(std::string_view arguments) {
  auto mail = parse_mail(arguments);
  if (!mail) return say(mail.error());
  const Offer offer{.size = true, .eight_bit_mime = true, .message_size = settings_.message_size};
  if (const auto terms = judge_mail(*mail, offer); !terms) return say(terms.error());
  question::Sender sender{.reverse_path = std::move(mail->reverse_path), .params = std::move(mail->params)};
  ++transactions_;
  if (settings_.judged.sender) return ask(std::move(sender));
  begin_transaction(sender);
}

void Session::rcpt(std::string_view arguments) {
  auto rcpt = parse_rcpt(arguments);
  if (!rcpt) return say(rcpt.error());
  if (const auto wrong = judge_rcpt(*rcpt, {}, {})) return say(*wrong);
  const auto asked = std::ranges::count_if(slots_, [](const Slot& slot) { return slot.question != nullptr; });
  if (transaction_->envelope.recipients.size() + static_cast<std::size_t>(asked) >= settings_.recipients) {
    return say(replies::kTooManyRecipients);  // §4.5.3.1.10: 452, not 552
  }
  question::Recipient recipient{.mailbox = std::move(rcpt->mailbox), .params = std::move(rcpt->params)};
  // Every server takes mail for postmaster (§4.5.1), and tcllib smtpd did not ask either.
  if (settings_.judged.recipient && !is_postmaster(recipient.mailbox)) return ask(std::move(recipient));
  if (!waiting()) return add_recipient(recipient);
  // It takes its place among those that are asked about, so that the envelope keeps the client's order.
  slots_.push_back({.id = ++last_question_,
                    .question = std::make_unique<Question>(std::move(recipient)),
                    .verdict = std::make_unique<mail::Verdict>()});
}

void Session::data(std::string_view arguments) {
  if (!arguments.empty()) return say(replies::kNoParameters);
  state_ = State::kData;
  say(replies::kStartData);
  transaction_->discard |= transaction_->envelope.recipients.empty();  // each was discarded
  if (!settings_.judged.message || transaction_->discard) return;
  host_.body(trace_headers({.helo = helo_,
                            .client_address = peer_.address,
                            .hostname = settings_.hostname,
                            .protocol = extended_ ? "ESMTP" : "SMTP",
                            .transaction = transaction_->id,
                            .envelope = transaction_->envelope,
                            .now = host_.now()}));
}

void Session::rset(std::string_view arguments) {
  if (!arguments.empty()) return say(replies::kNoParameters);
  forget_transaction();
  say(replies::kOk);
}

void Session::noop(std::string_view) { say(replies::kOk); }

void Session::quit(std::string_view arguments) {
  if (!arguments.empty()) return say(replies::kNoParameters);
  say(Reply::make(221, "2.0.0", settings_.hostname + " Service closing transmission channel").wire());
  close(End::kQuit);
}

void Session::vrfy(std::string_view arguments) {
  say(arguments.empty() ? replies::kNeedsArgument : replies::kCannotVerify);  // §3.5.3: 252
}

void Session::expn(std::string_view arguments) { say(arguments.empty() ? replies::kNeedsArgument : replies::kNoExpn); }

void Session::help_topic(std::string_view arguments) {
  const auto lines = help(arguments);
  if (!lines) return say(Reply::make(504, "5.5.4", fmt::format("HELP topic \"{}\" unknown.", arguments)).wire());
  say(Reply::make(214, "2.0.0", *lines).wire());
}

void Session::unknown(std::string_view) { say(replies::kUnknownCommand); }

// What verdicts lead to. The seed's wordings (DESIGN.md section 6) where the hook named no code.

void Session::answered(const question::Host&, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) return greet();
  if (verdict.action == mail::Action::kDefer && verdict.code == 0)
    return end(End::kHook, replies::kTryLater);  // §3.1: 4yz is 421
  state_ = State::kDenied;                       // the connection stays, for QUIT (§3.1)
  const auto reply = own_reply(verdict);
  say(reply ? reply->wire() : Reply::make(550, "", with_text("Access denied", verdict)).wire());
}

void Session::answered(const question::Auth& asked, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) extras_->user = asked.credentials.user;
}

void Session::answered(const question::Sender& asked, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) {
    begin_transaction(asked);
    transaction_->discard = verdict.action == mail::Action::kDiscard;
    return;
  }
  const auto reply = own_reply(verdict);
  say(reply ? reply->wire() : replies::kSenderRefused);
}

// A refused recipient leaves the transaction open: the client may still name others (§3.3).
void Session::answered(const question::Recipient& asked, const mail::Verdict& verdict) {
  if (verdict.action == mail::Action::kAccept) return add_recipient(asked);
  if (verdict.action == mail::Action::kDiscard) {  // this one gets nothing; the others do
    state_ = State::kRcpt;
    return say(replies::kRecipientOk);
  }
  const auto reply = own_reply(verdict);
  refuse_recipient(reply ? reply->wire() : replies::kRecipientRefused);
}

void Session::answered(const question::Message&, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) return accept_message();
  const auto reply = own_reply(verdict);
  end_transaction(reply ? reply->wire() : Reply::make(554, "5.0.0", with_text("Transaction failed", verdict)).wire());
}

void Session::greet() {
  state_ = State::kConnected;
  say(Reply::make(220, "", fmt::format("{} {}; {}", settings_.hostname, settings_.banner, format_date(host_.now())))
          .wire());
}

void Session::begin_transaction(const question::Sender& sender) {
  transaction_ = std::make_unique<Transaction>();
  transaction_->id = transaction_id();
  transaction_->envelope.reverse_path = sender.reverse_path;
  transaction_->envelope.params = sender.params;
  state_ = State::kMail;
  say(replies::kSenderOk);
}

std::string Session::transaction_id() const { return fmt::format("{}-{}", id_, transactions_); }

void Session::add_recipient(const question::Recipient& recipient) {
  transaction_->envelope.recipients.push_back({.mailbox = recipient.mailbox, .params = recipient.params});
  ++counts_.recipients_accepted;
  state_ = State::kRcpt;
  say(replies::kRecipientOk);
}

void Session::refuse_recipient(std::string_view reply) {
  ++transaction_->recipients_refused;
  ++counts_.recipients_refused;
  say(reply);
}

std::size_t Session::receive_data(std::string_view bytes) {
  DataDecoder& data = transaction_->data;
  const bool wanted = settings_.judged.message && !transaction_->discard && doom().empty();
  const std::size_t used = data.decode(bytes, wanted ? &host_ : nullptr);
  if (wanted && !doom().empty()) host_.body_doomed();
  if (!data.finished()) return used;
  state_ = State::kReady;
  if (!doom().empty()) {
    end_transaction(doom());
  } else if (settings_.judged.message && !transaction_->discard) {
    ask(question::Message{});
  } else {
    accept_message();
  }
  return used;
}

// The reply that the message so far must get at its end; empty: it may still be accepted.
std::string_view Session::doom() const {
  const DataDecoder& data = transaction_->data;
  if (data.bare_line_end()) return replies::kBareLineEnd;
  if (data.size() > settings_.message_size) return replies::kTooMuchData;
  if (settings_.strict_lines && data.long_lines() > 0) return replies::kTextLineTooLong;
  return {};
}

void Session::accept_message() {
  end_transaction(fmt::format("250 2.0.0 {} Message accepted for delivery\r\n", transaction_->id));
}

void Session::end_transaction(std::string_view reply) {
  ++(code_of(reply) < 300 ? counts_.messages_accepted : counts_.messages_refused);
  host_.transaction_over(*transaction_, reply);
  transaction_.reset();
  state_ = State::kReady;
  say(reply);
}

void Session::forget_transaction() {
  if (transaction_) host_.transaction_over(*transaction_, "");
  transaction_.reset();
  if (state_ != State::kConnected) state_ = State::kReady;
}

// Questions, and the queue that keeps replies in order.

void Session::ask(Question question) {
  slots_.push_back({.id = ++last_question_, .question = std::make_unique<Question>(std::move(question))});
  host_.ask(slots_.back().id, *slots_.back().question);
}

void Session::answer(QuestionId id, const mail::Verdict& verdict) {
  if (closed()) return;
  const auto slot = std::ranges::find(slots_, id, &Slot::id);
  assert(slot != slots_.end() && !slot->verdict && "one verdict for each question");
  slot->verdict = std::make_unique<mail::Verdict>(verdict);
  emit_ready_slots();
}

void Session::emit_ready_slots() {
  std::size_t done = 0;
  std::vector<Slot> slots = std::exchange(slots_, {});  // what is said meanwhile leaves at once: it is in order
  while (done < slots.size() && !closed()) {
    Slot& slot = slots[done];
    if (!slot.question) {
      emit(slot.reply);
    } else if (!slot.verdict) {
      break;
    } else if (!ended_by(*slot.verdict)) {
      std::visit([&](const auto& asked) { answered(asked, *slot.verdict); }, *slot.question);
    }
    ++done;
  }
  if (closed()) return;
  slots.erase(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(done));
  if (!slots.empty()) slots_ = std::move(slots);
}

void Session::say(std::string_view wire) {
  if (slots_.empty()) return emit(wire);
  slots_.push_back({.reply = std::string(wire)});
}

void Session::emit(std::string_view wire) {
  if (closed()) return;
  host_.reply(wire);
  if (wire.front() != '5') return;
  ++counts_.errors;
  if (settings_.errors != 0 && counts_.errors >= settings_.errors) end(End::kLimit, replies::kTooManyErrors);
}

bool Session::ended_by(const mail::Verdict& verdict) {
  if (verdict.action != mail::Action::kClose) return false;
  if (verdict.text.empty()) {
    end(End::kHook, replies::kTryLater);
  } else {
    std::vector<std::string> lines = verdict.text;
    lines.front() = fmt::format("{} {}", settings_.hostname, lines.front());  // §4.3.2: 421 <domain>
    host_.reply(Reply::make(421, verdict.enhanced.empty() ? "4.7.0" : verdict.enhanced, lines).wire());
    close(End::kHook);
  }
  return true;
}

void Session::end(Farewell why) {
  if (closed()) return;
  switch (why) {
    case Farewell::kIdle:
      return end(End::kTimeout, replies::kIdle);
    case Farewell::kSlowCommand:
      return end(End::kTimeout, replies::kSlowCommand);
    case Farewell::kSlowData:
      return end(End::kTimeout, replies::kSlowData);
    case Farewell::kShuttingDown:
      return end(End::kShutdown, replies::kShuttingDown);
  }
}

// 421 may answer any command (§4.2.2), so it may overtake what still waits for a verdict.
void Session::end(End how, std::string_view farewell) {
  host_.reply(farewell_reply(farewell, settings_.hostname));
  close(how);
}

void Session::close(End how) {
  slots_.clear();
  end_ = how;
  state_ = State::kClosed;
}

}  // namespace hooksmtpd::smtp
