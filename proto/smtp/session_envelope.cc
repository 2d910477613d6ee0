// The envelope: MAIL and RCPT, and what the verdicts on them lead to.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proto/smtp/limits.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/reply.h"
#include "proto/smtp/session.h"
#include "proto/smtp/verdict_reply.h"

namespace hooksmtpd::smtp {
namespace {

Syntax syntax_of(const Settings& settings) { return settings.lenient ? Syntax::kLenient : Syntax::kStrict; }

// As JSON in pure ASCII, at most: what is beyond ASCII becomes \uXXXX, a quote in a quoted local part has two
// backslashes before it and one of its own.
std::size_t room_of(std::string_view text) {
  std::size_t octets = 0;
  for (const char c : text) octets += static_cast<unsigned char>(c) > 127 ? 3 : c == '"' || c == '\\' ? 4 : 1;
  return octets;
}

// An address is an element of one array, its parameters one of another.
std::size_t room_of(const mail::Mailbox& mailbox, const mail::Parameters& params) {
  std::size_t octets = room_of(mailbox.local_part) + room_of(mailbox.domain) + 12;  // quotes twice, @, comma, {},
  for (const auto& [keyword, value] : params) octets += keyword.size() + room_of(value) + 6;
  return octets;
}

}  // namespace

void Session::mail(std::string_view arguments) {
  auto mail = parse_mail(arguments, syntax_of(settings_));
  if (!mail) return say(mail.error());
  const auto terms = judge_mail(*mail, parameters_offered(circumstances(), host_.now()));
  if (!terms) return say(terms.error());
  question::Sender sender{
      .reverse_path = std::move(mail->reverse_path), .params = std::move(mail->params), .terms = *terms};
  ++transactions_;
  if (settings_.judged.sender) return ask(std::move(sender));
  begin_transaction(sender);
}

void Session::rcpt(std::string_view arguments) {
  auto rcpt = parse_rcpt(arguments, syntax_of(settings_));
  if (!rcpt) return say(rcpt.error());
  const auto wrong = judge_rcpt(*rcpt, parameters_offered(circumstances(), host_.now()), transaction_->terms);
  if (wrong) return say(*wrong);
  const auto asked = std::ranges::count_if(slots_, [](const Slot& slot) { return slot.question != nullptr; });
  const std::size_t named = std::max(transaction_->envelope.recipients.size(), transaction_->owed.size());
  if (named + static_cast<std::size_t>(asked) >= settings_.recipients) {
    return say(replies::kTooManyRecipients);  // §4.5.3.1.10: 452, not 552
  }
  if (recipients_room() + room_of(rcpt->mailbox, rcpt->params) > kMaxRecipientsRoom) {
    return say(replies::kTooManyRecipients);
  }
  question::Recipient recipient{.mailbox = std::move(rcpt->mailbox), .params = std::move(rcpt->params)};
  // Every server takes mail for postmaster (§4.5.1), and tcllib smtpd did not ask either.
  if (settings_.judged.recipient && !is_postmaster(recipient.mailbox)) return ask(std::move(recipient));
  if (!waiting()) {
    return add_recipient({.mailbox = std::move(recipient.mailbox), .params = std::move(recipient.params)});
  }
  // It takes its place among those that are asked about, so that the envelope keeps the client's order.
  slots_.push_back({.id = ++last_question_,
                    .question = std::make_unique<Question>(std::move(recipient)),
                    .verdict = std::make_unique<mail::Verdict>()});
}

// The seed's wordings (DESIGN.md section 6) where the hook named no code.

void Session::answered(const question::Sender& asked, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) {
    begin_transaction(asked);
    transaction_->discard = verdict.action == mail::Action::kDiscard;
    if (verdict.rewrite) transaction_->envelope.reverse_path = *verdict.rewrite;
    return add_headers(verdict);
  }
  const auto reply = own_reply(verdict);
  say(reply ? reply->wire() : replies::kSenderRefused);
}

// A refused recipient leaves the transaction open: the client may still name others (§3.3).
void Session::answered(const question::Recipient& asked, const mail::Verdict& verdict) {
  if (verdict.action == mail::Action::kAccept) {
    add_headers(verdict);
    const bool rewritten = verdict.rewrite && *verdict.rewrite;
    return add_recipient({.mailbox = rewritten ? **verdict.rewrite : asked.mailbox, .params = asked.params});
  }
  if (verdict.action == mail::Action::kDiscard) return recipient_named(false);  // it gets nothing; the others do
  const auto reply = own_reply(verdict);
  refuse_recipient(reply ? reply->wire() : replies::kRecipientRefused);
}

void Session::begin_transaction(const question::Sender& sender) {
  transaction_ = std::make_unique<Transaction>();
  transaction_->id = transaction_id();
  transaction_->envelope.reverse_path = sender.reverse_path;
  transaction_->envelope.params = sender.params;
  transaction_->terms = sender.terms;
  state_ = State::kMail;
  say(replies::kSenderOk);
}

std::string Session::transaction_id() const { return fmt::format("{}-{}", id_, transactions_); }

// With those that are being judged.
std::size_t Session::recipients_room() const {
  std::size_t octets = transaction_->recipients_room;
  for (const Slot& slot : slots_) {
    const auto* asked = slot.question ? std::get_if<question::Recipient>(slot.question.get()) : nullptr;
    if (asked) octets += room_of(asked->mailbox, asked->params);
  }
  return octets;
}

void Session::add_recipient(mail::Recipient recipient) {
  transaction_->recipients_room += room_of(recipient.mailbox, recipient.params);
  transaction_->envelope.recipients.push_back(std::move(recipient));
  ++counts_.recipients_accepted;
  recipient_named(true);
}

// `kept`: it is in the envelope.
void Session::recipient_named(bool kept) {
  if (settings_.protocol == Settings::Protocol::kLmtp) transaction_->owed.push_back(kept);
  state_ = State::kRcpt;
  say(replies::kRecipientOk);
}

void Session::refuse_recipient(std::string_view reply) {
  ++transaction_->recipients_refused;
  ++counts_.recipients_refused;
  say(reply);
}

// Of any verdict before the message.
void Session::add_headers(const mail::Verdict& verdict) {
  auto& headers = transaction_->added_headers;
  headers.insert(headers.end(), verdict.add_headers.begin(), verdict.add_headers.end());
}

void Session::forget_transaction(TransactionEnd why) {
  if (transaction_) host_.transaction_over(*transaction_, "", why);
  transaction_.reset();
  if (state_ != State::kConnected) state_ = State::kReady;
}

}  // namespace hooksmtpd::smtp
