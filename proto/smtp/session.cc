#include "proto/smtp/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "proto/smtp/heard_line.h"
#include "proto/smtp/limits.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/reply.h"

namespace hooksmtpd::smtp {
namespace {

// A bit for each state.
constexpr unsigned in(auto... states) { return ((1u << static_cast<unsigned>(states)) | ...); }

// The first octets of a TLS handshake: its record type and the version's high octet (RFC 8446 §5.1).
bool is_client_hello(std::string_view bytes) { return bytes.starts_with("\x16\x03"); }

}  // namespace

// Which command may come when (§4.1.4), in the order of Verb, and what has to be there before: out of place no handler
// runs.
struct Session::Rule {
  // 530 where the administrator requires it (RFC 3207 §4, RFC 4954 §6). kAuth is kTls, too.
  enum class Needs : std::uint8_t { kNothing, kTls, kAuth };

  Verb verb;
  unsigned where;  // in(State::kThis, State::kThat)
  Needs needs;
  void (Session::*handler)(std::string_view arguments);  // the whole line for kUnknown

  static constexpr unsigned kSaidHello = in(State::kReady, State::kMail, State::kRcpt, State::kChunks);
  static constexpr unsigned kGreeted = kSaidHello | in(State::kConnected);
  static constexpr unsigned kAnywhere = kGreeted | in(State::kDenied);
  static const Rule kTable[];
};

const Session::Rule Session::Rule::kTable[] = {
    {Verb::kEhlo, kGreeted, Needs::kNothing, &Session::ehlo},
    {Verb::kHelo, kGreeted, Needs::kNothing, &Session::helo},
    {Verb::kMail, in(State::kReady), Needs::kAuth, &Session::mail},
    {Verb::kRcpt, in(State::kMail, State::kRcpt), Needs::kAuth, &Session::rcpt},
    {Verb::kData, in(State::kRcpt), Needs::kAuth, &Session::data},
    {Verb::kRset, kGreeted, Needs::kNothing, &Session::rset},
    {Verb::kNoop, kGreeted, Needs::kNothing, &Session::noop},
    {Verb::kQuit, kAnywhere, Needs::kNothing, &Session::quit},
    {Verb::kVrfy, kGreeted, Needs::kAuth, &Session::vrfy},
    {Verb::kExpn, kGreeted, Needs::kAuth, &Session::expn},
    {Verb::kHelp, kGreeted, Needs::kNothing, &Session::help_topic},
    {Verb::kLhlo, kGreeted, Needs::kNothing, &Session::ehlo},
    {Verb::kStartTls, kSaidHello, Needs::kNothing, &Session::starttls},
    {Verb::kAuth, in(State::kReady), Needs::kTls, &Session::auth},
    {Verb::kBdat, in(State::kRcpt, State::kChunks), Needs::kAuth, &Session::bdat},
    {Verb::kXclient, in(State::kConnected, State::kReady), Needs::kNothing, &Session::xclient},
    {Verb::kUnknown, kGreeted, Needs::kNothing, &Session::unknown},
};

// Our name stands between the codes and the text (§4.3.2: 421 <domain>).
std::string farewell_reply(std::string_view farewell, std::string_view hostname) {
  const std::size_t space = farewell.find(' ');
  const std::string text = fmt::format("{}{}", hostname, farewell.substr(space));
  return std::string(Reply::make(421, farewell.substr(0, space), text).wire());
}

Session::Session(Host& host, const Settings& settings, Peer peer, std::string id)
    : host_(host), settings_(settings), peer_(std::move(peer)), id_(std::move(id)) {}

void Session::begin() {
  if (tls() && settings_.judged.starttls) return ask(question::Starttls{});
  begin_client();
}

void Session::begin_client() {
  state_ = State::kGreeting;
  if (settings_.judged.host) return ask(question::Host{});
  greet();
}

void Session::greet() {
  state_ = helo_.empty() ? State::kConnected : State::kReady;  // XCLIENT may have said it
  say(Reply::make(220, "", fmt::format("{} {}; {}", settings_.hostname, settings_.banner, format_date(host_.now())))
          .wire());
}

void Session::secured(TlsFacts facts) {
  if (closed()) return;
  assert(starting_tls() || state_ == State::kGreeting);
  extras_ = std::make_unique<Extras>(Extras{.tls = std::move(facts)});
  if (!starting_tls()) return;
  state_ = State::kConnected;
  if (settings_.judged.starttls) ask(question::Starttls{});
}

// All that it said. What is known of the connection itself stays.
void Session::forget_client() {
  forget_transaction(TransactionEnd::kHello);
  helo_.clear();
  extended_ = false;
  if (extras_) *extras_ = Extras{.tls = std::move(extras_->tls)};
}

std::string_view Session::user() const { return authenticated() ? extras_->user : std::string_view(); }

const TlsFacts* Session::tls() const { return extras_ && extras_->tls ? &*extras_->tls : nullptr; }

Circumstances Session::circumstances() const {
  return {.settings = settings_, .tls = tls() != nullptr, .may_xclient = peer_.may_xclient};
}

std::string_view Session::protocol() const {
  if (helo_.empty()) return "";
  if (!extended_) return "SMTP";
  static constexpr std::string_view kNames[] = {
      "ESMTP",    "ESMTPA",    "ESMTPS",    "ESMTPSA",    "LMTP",     "LMTPA",     "LMTPS",     "LMTPSA",
      "UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA", "UTF8LMTP", "UTF8LMTPA", "UTF8LMTPS", "UTF8LMTPSA",
  };
  return kNames[(transaction_ && transaction_->terms.smtputf8 ? 8 : 0) +
                (settings_.protocol == Settings::Protocol::kLmtp ? 4 : 0) + (tls() ? 2 : 0) +
                (authenticated() ? 1 : 0)];
}

// Who the client is to people. A proxy that may XCLIENT may not know it, a unix socket has no address.
std::string_view Session::shown_address() const {
  if (!peer_.address.empty()) return peer_.address;
  return peer_.may_xclient ? "unknown" : "local";
}

// Lines.

// An AUTH command may be as long as an answer to it, though RFC 4954 §4 does not ask for it: a bearer token is longer
// than a command line, and many clients send it along with the command.
std::size_t Session::longest_line(std::string_view start) const {
  if (state_ == State::kAuth) return kMaxAuthLine;
  const bool may_be_long = start.size() > kMaxCommandLine && !settings_.auth.mechanisms.empty();
  return may_be_long && split_command(start.substr(0, 5)).verb == Verb::kAuth ? kMaxAuthLine : kMaxCommandLine;
}

std::size_t Session::receive(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !closed() && !starting_tls() && !host_.full()) {
    if (!only_recipients_are_out()) break;  // what comes next may be octets of a message as well as a line
    const std::string_view rest = bytes.substr(used);
    if (in_data()) {
      used += chunk_.left > 0 ? receive_chunk(rest) : receive_data(rest);
      continue;
    }
    if (skipped_ == 0 && is_client_hello(rest)) {
      end(End::kLimit, replies::kTlsSpoken);
      break;
    }
    const std::size_t lf = rest.find('\n');
    if (lf == std::string_view::npos) {
      if (skipped_ == 0 && rest.size() <= longest_line(rest)) break;
      skipped_ += static_cast<std::uint32_t>(rest.size());
      used = bytes.size();
      if (skipped_ > kMaxSkippedLine) end(End::kLimit, replies::kEndlessLine);
      break;
    }
    const std::string_view whole = rest.substr(0, lf + 1);
    if (waiting() && !may_run_beside_questions(whole)) break;
    used += whole.size();
    const bool skipped = std::exchange(skipped_, 0) > 0;
    line(whole, skipped || whole.size() > longest_line(whole));
  }
  return closed() || starting_tls() ? bytes.size() : used;
}

// A line with its end. Nothing of one that is wrong in itself runs; as an answer to AUTH it ends the exchange.
void Session::line(std::string_view line, bool too_long) {
  hear(line, too_long);
  const bool answers_auth = state_ == State::kAuth;
  if (too_long) return answers_auth ? end_auth(replies::kAuthLineTooLong) : say(replies::kLineTooLong);
  const bool crlf = line.ends_with("\r\n");
  line.remove_suffix(crlf ? 2 : 1);
  if (!crlf && !settings_.lenient) {  // §2.3.8
    return answers_auth ? end_auth(replies::kBareLf) : refuse_line(line, replies::kBareLf);
  }
  answers_auth ? auth_response(line) : command(line);
}

// Also remembers whether what comes may be a credential where no command is: a client may send the answers to AUTH
// along with it, and AUTH be refused.
void Session::hear(std::string_view line, bool too_long) {
  line = line.substr(0, line.find_last_not_of("\r\n") + 1);
  const bool login = begins_login(line);
  if (login || too_long) {
    after_auth_ = true;
  } else if (after_auth_) {
    after_auth_ = split_command(line).verb == Verb::kUnknown;
  }
  if (!host_.listening()) return;
  if (too_long) return host_.heard(kHiddenLongLine);
  if (state_ == State::kAuth) return host_.heard(kHiddenLine);
  if (login) return host_.heard(without_credentials(line));
  host_.heard(after_auth_ ? kHiddenLine : line);
}

// Nothing of it runs, but a BDAT's octets come all the same.
void Session::refuse_line(std::string_view line, std::string_view refusal) {
  const auto [verb, arguments] = split_command(line);
  if (verb == Verb::kBdat && understands(verb, circumstances())) return skip_chunk(arguments, refusal);
  say(refusal);
}

// Only RCPTs may, and only beside other RCPTs: what MAIL was told decides whether they mean anything.
bool Session::may_run_beside_questions(std::string_view line) const {
  return slots_.size() < kMaxQuestions && (state_ == State::kMail || state_ == State::kRcpt) &&
         split_command(line.substr(0, line.find_last_not_of("\r\n") + 1)).verb == Verb::kRcpt &&
         only_recipients_are_out();
}

bool Session::only_recipients_are_out() const {
  return std::ranges::all_of(slots_, [](const Slot& slot) {
    return !slot.question || std::holds_alternative<question::Recipient>(*slot.question);
  });
}

void Session::command(std::string_view line) {
  ++counts_.commands;
  if (settings_.commands != 0 && counts_.commands > settings_.commands)
    return end(End::kLimit, replies::kTooManyCommands);
  const auto [written, arguments] = split_command(line);
  if (written == Verb::kUnknown && is_http(line)) return end(End::kLimit, replies::kHttpSpoken);
  if (!is_printable(line)) {
    const bool may_be_utf8 = written == Verb::kMail || written == Verb::kRcpt || written == Verb::kVrfy ||
                             written == Verb::kExpn;  // RFC 6531 §3.1
    if (!may_be_utf8 || !offers(Extension::kSmtpUtf8, circumstances()) ||
        !is_printable(line, mail::Characters::kUtf8)) {
      return refuse_line(line, replies::kNotPrintable);
    }
  }
  const Verb verb = understands(written, circumstances()) ? written : Verb::kUnknown;
  const Rule& rule = Rule::kTable[static_cast<std::size_t>(verb)];
  assert(rule.verb == verb);
  const std::string_view refusal = out_of_place(rule);
  if (refusal.empty()) return (this->*rule.handler)(verb == Verb::kUnknown ? line : arguments);
  if (verb == Verb::kBdat) return skip_chunk(arguments, refusal);
  say(refusal);
}

// The reply to a command that may not come now; empty: it may.
std::string_view Session::out_of_place(const Rule& rule) const {
  if (state_ == State::kDenied && !(rule.where & in(state_))) return replies::kBadSequence;
  if (rule.needs != Rule::Needs::kNothing && settings_.tls == Settings::Tls::kRequired && !tls()) {
    return replies::kTlsFirst;
  }
  if (rule.needs == Rule::Needs::kAuth && settings_.auth.required && !authenticated()) return replies::kAuthFirst;
  if (rule.where & in(state_)) return {};
  if (state_ == State::kConnected) {
    return settings_.protocol == Settings::Protocol::kLmtp ? replies::kLhloFirst : replies::kHeloFirst;
  }
  if (rule.verb == Verb::kMail) return replies::kNestedMail;
  if (rule.verb == Verb::kAuth || rule.verb == Verb::kXclient) return replies::kInTransaction;
  if (state_ == State::kChunks) return replies::kChunksBegun;
  return state_ == State::kMail ? replies::kNoRecipient : replies::kNoSender;
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
  if (slot == slots_.begin()) return emit_ready_slots(verdict);
  slot->verdict = std::make_unique<mail::Verdict>(verdict);
}

// `first` is the verdict on the first question, which the others have waited for.
void Session::emit_ready_slots(const mail::Verdict& first) {
  std::size_t done = 0;
  std::vector<Slot> slots = std::exchange(slots_, {});  // what is said meanwhile leaves at once: it is in order
  while (done < slots.size() && !closed()) {
    Slot& slot = slots[done];
    const mail::Verdict* const verdict = done == 0 ? &first : slot.verdict.get();
    if (!slot.question) {
      emit(slot.reply);
    } else if (!verdict) {
      break;
    } else if (!ended_by(*verdict)) {
      std::visit([&](const auto& asked) { answered(asked, *verdict); }, *slot.question);
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
  send(wire);
  if (wire.front() != '5') return;
  ++counts_.errors;
  if (settings_.errors != 0 && counts_.errors >= settings_.errors) end(End::kLimit, replies::kTooManyErrors);
}

void Session::send(std::string_view wire) {
  if (understands(Extension::kEnhancedStatusCodes, circumstances())) return host_.reply(wire);
  host_.reply(without_enhanced_codes(wire));
}

bool Session::ended_by(const mail::Verdict& verdict) {
  if (verdict.action != mail::Action::kClose) return false;
  if (verdict.abrupt) {
    close(End::kDropped);
  } else {
    end_by_hook(verdict, replies::kTryLater);
  }
  return true;
}

// `farewell` is for a hook that has no words of its own.
void Session::end_by_hook(const mail::Verdict& verdict, std::string_view farewell) {
  if (verdict.text.empty()) return end(End::kHook, farewell);
  std::vector<std::string> lines = verdict.text;
  lines.front() = fmt::format("{} {}", settings_.hostname, lines.front());  // §4.3.2: 421 <domain>
  send(Reply::make(421, verdict.enhanced.starts_with('4') ? verdict.enhanced : "4.7.0", lines).wire());
  close(End::kHook);
}

void Session::end(Farewell why) {
  if (closed()) return;
  if (starting_tls()) return close(why == Farewell::kShuttingDown ? End::kShutdown : End::kTimeout);
  switch (why) {
    case Farewell::kIdle:
      return end(End::kTimeout, replies::kIdle);
    case Farewell::kSlowCommand:
      return end(End::kTimeout, replies::kSlowCommand);
    case Farewell::kSlowData:
      return end(End::kTimeout, chunk_.left > 0 ? replies::kSlowChunk : replies::kSlowData);
    case Farewell::kShuttingDown:
      return end(End::kShutdown, replies::kShuttingDown);
  }
}

// 421 may answer any command (§4.2.2), so it may overtake what still waits for a verdict. One is enough, also where two
// limits are reached at once.
void Session::end(End how, std::string_view farewell) {
  if (closed()) return;
  send(farewell_reply(farewell, settings_.hostname));
  close(how);
}

void Session::close(End how) {
  slots_.clear();
  chunk_ = {};
  end_ = how;
  state_ = State::kClosed;
}

}  // namespace hooksmtpd::smtp
