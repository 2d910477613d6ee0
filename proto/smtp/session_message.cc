// The message: after DATA up to CRLF.CRLF, or in the chunks of BDAT (RFC 3030), and what is said of it in the end,
// which over LMTP is one reply for each recipient (RFC 2033 §4.2).

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "proto/smtp/limits.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/reply.h"
#include "proto/smtp/session.h"
#include "proto/smtp/trace.h"
#include "proto/smtp/verdict_reply.h"

namespace hooksmtpd::smtp {

void Session::data(std::string_view arguments) {
  if (!arguments.empty()) return say(replies::kNoParameters);
  if (transaction_->terms.body == Body::kBinaryMime) return say(replies::kBinaryNeedsBdat);  // RFC 3030 §3
  if (data_is_judged()) return ask(question::Data{});
  start_data();
}

// Nobody needs to judge a message that is thrown away.
bool Session::data_is_judged() const {
  return settings_.judged.data && !transaction_->discard && !transaction_->envelope.recipients.empty();
}

// A refused DATA ends nothing: the client may say it again, or RSET. A refused BDAT does, or a client that has sent the
// next chunk along with it would see a message accepted that lacks the first.
void Session::answered(const question::Data& asked, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) {
    transaction_->discard |= verdict.action == mail::Action::kDiscard;
    add_headers(verdict);
    return asked.chunk ? take_chunk(*asked.chunk) : start_data();
  }
  const auto own = own_reply(verdict);
  const Reply reply = own ? *own : Reply::make(554, "5.7.1", with_text("Transaction refused", verdict));
  if (!asked.chunk) return say(reply.wire());
  transaction_->data_refusal = reply.wire();
  begin_chunk(*asked.chunk, transaction_->data_refusal);
}

void Session::start_data() {
  state_ = State::kData;
  say(replies::kStartData);
  begin_message();
}

// What a hook gets begins with our trace headers, and those that other hooks have added.
void Session::begin_message() {
  transaction_->discard |= transaction_->envelope.recipients.empty();  // each was discarded
  if (!message_wanted()) return;
  std::string prefix = trace_headers({.helo = helo_,
                                      .client_address = shown_address(),
                                      .hostname = settings_.hostname,
                                      .protocol = protocol(),
                                      .tls = tls(),
                                      .transaction = transaction_->id,
                                      .envelope = transaction_->envelope,
                                      .now = host_.now()});
  for (const mail::AddedHeader& header : transaction_->added_headers) {
    fmt::format_to(std::back_inserter(prefix), "{}: {}\r\n", header.name, header.value);
  }
  transaction_->prefix = prefix.size();
  host_.body(prefix);
}

std::size_t Session::receive_data(std::string_view bytes) {
  const bool wanted = message_wanted();
  const std::size_t used = transaction_->data.decode(bytes, wanted ? &host_ : nullptr);
  if (wanted && !doom().empty()) host_.body_doomed();
  if (!transaction_->data.finished()) return used;
  if (host_.listening()) host_.heard_data(transaction_->data.size());
  end_of_message();
  return used;
}

// Chunks. The reply comes behind the octets, also where the command alone was enough to refuse it (RFC 3030 §2).

void Session::bdat(std::string_view arguments) {
  const auto bdat = parse_bdat(arguments);
  if (!bdat) return skip_chunk(arguments, bdat.error().reply);
  if (state_ == State::kRcpt && data_is_judged()) return ask(question::Data{.chunk = *bdat});
  take_chunk(*bdat);
}

void Session::take_chunk(const command::Bdat& bdat) {
  if (state_ == State::kRcpt) begin_message();
  state_ = State::kChunks;
  begin_chunk(bdat, "");
}

// Octets that follow a refused BDAT are no commands: whoever wrote them is not who speaks to us. And a message that
// lacks a chunk has failed, whatever comes behind (RFC 3030 §2).
void Session::skip_chunk(std::string_view arguments, std::string_view refusal) {
  const auto bdat = parse_bdat(arguments);
  begin_chunk({.size = bdat ? bdat->size : bdat.error().size, .last = false}, refusal);
}

void Session::begin_chunk(const command::Bdat& bdat, std::string_view refusal) {
  if (bdat.size > kMaxChunk) return end(End::kLimit, replies::kEndlessChunk);
  chunk_ = {.left = bdat.size,
            .refusal = refusal,
            .size = bdat.size,
            .last = bdat.last,
            .ends_message = !refusal.empty() && (state_ == State::kRcpt || state_ == State::kChunks)};
  if (refusal.empty()) {
    const bool wanted = message_wanted();
    transaction_->announced += bdat.size;
    if (wanted && !doom().empty()) host_.body_doomed();
  }
  if (bdat.size == 0) end_of_chunk();
}

std::size_t Session::receive_chunk(std::string_view bytes) {
  const std::string_view octets = bytes.substr(0, chunk_.left);
  if (chunk_.refusal.empty()) {
    const bool wanted = message_wanted();
    transaction_->data.take(octets, wanted ? &host_ : nullptr);
    if (wanted && !doom().empty()) host_.body_doomed();
  }
  chunk_.left -= octets.size();
  if (chunk_.left == 0) end_of_chunk();
  return octets.size();
}

void Session::end_of_chunk() {
  const Chunk chunk = std::exchange(chunk_, {});
  ++counts_.chunks;
  if (host_.listening()) host_.heard_data(chunk.size);
  if (chunk.ends_message) {
    return chunk.last ? end_transaction(chunk.refusal, TransactionEnd::kFailed) : fail_message(chunk.refusal);
  }
  if (!chunk.refusal.empty()) return say(chunk.refusal);
  if (chunk.last) {
    const bool wanted = message_wanted();
    transaction_->data.finish();
    if (wanted && !doom().empty()) host_.body_doomed();
    return end_of_message();
  }
  if (doom().empty()) return say(fmt::format("250 2.0.0 {} octets received\r\n", transaction_->data.size()));
  fail_message(doom());
}

// RFC 2033 §4.3: one reply to a chunk that is not the last.
void Session::fail_message(std::string_view reply) {
  transaction_->owed.clear();
  end_transaction(reply, TransactionEnd::kFailed);
}

// What becomes of a message.

// Somebody is there to take what comes of it.
bool Session::message_wanted() const { return settings_.judged.message && !transaction_->discard && doom().empty(); }

// The reply that the message so far must get at its end; empty: it may still be accepted. BINARYMIME knows no lines.
std::string_view Session::doom() const {
  const DataDecoder& data = transaction_->data;
  const bool has_lines = transaction_->terms.body != Body::kBinaryMime;
  if (has_lines && data.bare_line_end() && !settings_.lenient) return replies::kBareLineEnd;
  if (std::max(data.size(), transaction_->announced) > settings_.message_size) return replies::kTooMuchData;
  if (has_lines && settings_.strict_lines && data.long_lines() > 0) return replies::kTextLineTooLong;
  return {};
}

void Session::end_of_message() {
  state_ = State::kReady;
  if (!doom().empty()) return end_transaction(doom(), TransactionEnd::kFailed);
  if (settings_.judged.message && !transaction_->discard) return ask(question::Message{});
  end_transaction(reply_to_message({}), TransactionEnd::kFailed);
}

std::string Session::reply_to_message(const mail::Verdict& verdict) const {
  if (mail::accepts(verdict)) {
    return fmt::format("250 2.0.0 {} Message accepted for delivery\r\n", transaction_->id);
  }
  const auto reply = own_reply(verdict);
  return std::string(reply ? reply->wire()
                           : Reply::make(554, "5.0.0", with_text("Transaction failed", verdict)).wire());
}

void Session::answered(const question::Message&, const mail::Verdict& verdict) {
  std::vector<std::string> each;
  if (settings_.protocol == Settings::Protocol::kLmtp && !verdict.recipients.empty()) {
    assert(verdict.recipients.size() == transaction_->envelope.recipients.size());
    for (const mail::Verdict& one : verdict.recipients) each.push_back(reply_to_message(one));
  }
  end_transaction(reply_to_message(verdict), TransactionEnd::kRefused, each);
}

// `refused`: why it is over, unless somebody gets the message. `each`: what the recipients of the envelope get over
// LMTP; empty: all of them `reply`.
void Session::end_transaction(std::string_view reply, TransactionEnd refused, std::span<const std::string> each) {
  std::string wire;
  std::string_view best = each.empty() ? reply : std::string_view(each.front());
  std::size_t next = 0;
  for (const bool kept : transaction_->owed) {
    const std::string accepted = kept ? "" : reply_to_message({});
    const std::string_view one = !kept ? accepted : each.empty() ? reply : std::string_view(each[next++]);
    wire += one;
    if (kept && code_of(one) < code_of(best)) best = one;
  }
  const bool accepted = code_of(best) < 300;
  ++(accepted ? counts_.messages_accepted : counts_.messages_refused);
  host_.transaction_over(*transaction_, best, accepted ? TransactionEnd::kDone : refused);
  const auto over = std::move(transaction_);  // `reply` may be its
  state_ = State::kReady;
  say(wire.empty() ? reply : std::string_view(wire));
}

}  // namespace hooksmtpd::smtp
