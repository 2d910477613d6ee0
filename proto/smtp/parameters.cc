#include "proto/smtp/parameters.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "proto/mail/mailbox.h"
#include "proto/smtp/parameter_values.h"
#include "proto/smtp/replies.h"

namespace hooksmtpd::smtp {
namespace {

// What is wrong with a value: a whole reply. Empty: nothing.
using Wrong = std::string_view;
constexpr Wrong kFine = {};

constexpr Wrong unless(bool right, Wrong reply) { return right ? kFine : reply; }

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_word(std::string_view value, std::string_view upper_case) {
  return std::ranges::equal(value, upper_case, {}, upper);
}

mail::Characters characters_of(const MailTerms& terms) {
  return terms.smtputf8 ? mail::Characters::kUtf8 : mail::Characters::kAscii;
}

// RFC 1870 §3: up to 20 digits, more than any number of ours holds.
Wrong judge_size(std::string_view value, const Offer& offer, MailTerms&) {
  std::uint64_t size = 0;
  const char* const value_end = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), value_end, size);
  if (value.empty() || value.size() > 20 || end != value_end) return replies::kBadSize;
  const bool fits = error == std::errc() && size <= offer.message_size;
  return unless(fits, replies::kTooMuchData);  // RFC 1870 §6.1
}

Wrong judge_body(std::string_view value, const Offer& offer, MailTerms& terms) {
  if (is_word(value, "7BIT")) return kFine;
  const bool binary = is_word(value, "BINARYMIME");
  if (!binary && !is_word(value, "8BITMIME")) return replies::kBadBody;
  terms.body = binary ? Body::kBinaryMime : Body::kEightBitMime;
  return unless(binary ? offer.binary_mime : offer.eight_bit_mime, replies::kUnknownParameter);
}

Wrong judge_smtputf8(std::string_view value, const Offer&, MailTerms&) {
  return unless(value.empty(), replies::kNoValue);  // RFC 6531 §3.4
}

Wrong judge_ret(std::string_view value, const Offer&, MailTerms&) {
  return unless(is_word(value, "FULL") || is_word(value, "HDRS"), replies::kBadRet);
}

Wrong judge_envid(std::string_view value, const Offer&, MailTerms&) {
  return unless(!value.empty() && is_envelope_id(value), replies::kBadEnvid);
}

Wrong judge_auth(std::string_view value, const Offer&, MailTerms& terms) {
  return unless(!value.empty() && is_submitter(value, characters_of(terms)), replies::kBadSubmitter);
}

Wrong judge_require_tls(std::string_view value, const Offer& offer, MailTerms& terms) {
  if (!value.empty()) return replies::kNoValue;
  terms.require_tls = true;
  return unless(offer.tls, replies::kRequireTlsNeedsTls);  // RFC 8689 §2
}

// A message that must be given back when its time is up, and it is up already: RFC 2852 §4 asks for more than zero.
Wrong judge_by(std::string_view value, const Offer& offer, MailTerms&) {
  const auto by = parse_deliver_by(value);
  if (!by || (by->returns && by->seconds <= 0)) return replies::kBadBy;
  const bool too_soon = by->returns && by->seconds < static_cast<std::int64_t>(offer.shortest_by);
  return unless(!too_soon, replies::kByTooSoon);
}

Wrong judge_hold_for(std::string_view value, const Offer& offer, MailTerms&) {
  const auto seconds = parse_hold_for(value);
  if (!seconds) return replies::kBadHoldFor;
  return unless(*seconds <= offer.longest_hold, replies::kHoldTooLong);
}

Wrong judge_hold_until(std::string_view value, const Offer& offer, MailTerms&) {
  const auto time = parse_hold_until(value);
  if (!time) return replies::kBadHoldUntil;
  return unless(*time <= offer.latest_hold, replies::kHoldTooLong);
}

Wrong judge_priority(std::string_view value, const Offer&, MailTerms&) {
  return unless(is_priority(value), replies::kBadPriority);
}

Wrong judge_notify(std::string_view value, const Offer&, MailTerms&) {
  return unless(is_notify(value), replies::kBadNotify);
}

Wrong judge_orcpt(std::string_view value, const Offer&, MailTerms& terms) {
  return unless(is_original_recipient(value, characters_of(terms)), replies::kBadOrcpt);
}

struct Known {
  std::string_view keyword;
  bool (*offered)(const Offer&);
  Wrong (*judge)(std::string_view value, const Offer&, MailTerms&);
};

bool offers_body(const Offer& offer) { return offer.eight_bit_mime || offer.binary_mime; }
template <bool Offer::* extension>
bool offers(const Offer& offer) {
  return offer.*extension;
}

constexpr Known kOfMail[] = {
    {"SIZE", offers<&Offer::size>, judge_size},
    {"BODY", offers_body, judge_body},
    {"SMTPUTF8", offers<&Offer::smtputf8>, judge_smtputf8},
    {"RET", offers<&Offer::dsn>, judge_ret},
    {"ENVID", offers<&Offer::dsn>, judge_envid},
    {"AUTH", offers<&Offer::auth>, judge_auth},
    {"REQUIRETLS", offers<&Offer::require_tls>, judge_require_tls},
    {"BY", offers<&Offer::deliver_by>, judge_by},
    {"HOLDFOR", offers<&Offer::future_release>, judge_hold_for},
    {"HOLDUNTIL", offers<&Offer::future_release>, judge_hold_until},
    {"MT-PRIORITY", offers<&Offer::mt_priority>, judge_priority},
};

constexpr Known kOfRcpt[] = {
    {"NOTIFY", offers<&Offer::dsn>, judge_notify},
    {"ORCPT", offers<&Offer::dsn>, judge_orcpt},
};

// The first that is wrong decides.
Wrong judge(std::span<const Known> known, const mail::Parameters& params, const Offer& offer, MailTerms& terms) {
  for (const auto& [keyword, value] : params) {
    const auto found = std::ranges::find(known, keyword, &Known::keyword);
    if (found == known.end() || !found->offered(offer)) return replies::kUnknownParameter;  // §4.1.1.11: 555
    if (const Wrong wrong = found->judge(value, offer, terms); !wrong.empty()) return wrong;
  }
  return kFine;
}

bool contains(const mail::Parameters& params, std::string_view keyword) {
  return std::ranges::find(params, keyword, &mail::Parameters::value_type::first) != params.end();
}

}  // namespace

std::expected<MailTerms, std::string_view> judge_mail(const command::Mail& mail, const Offer& offer) {
  // What stands before SMTPUTF8 may be UTF-8, too.
  MailTerms terms{.smtputf8 = offer.smtputf8 && contains(mail.params, "SMTPUTF8")};
  if (const Wrong wrong = judge(kOfMail, mail.params, offer, terms); !wrong.empty()) return std::unexpected(wrong);
  if (contains(mail.params, "HOLDFOR") && contains(mail.params, "HOLDUNTIL")) {
    return std::unexpected(replies::kTwoHolds);  // RFC 4865 §4
  }
  if (!terms.smtputf8 && mail.reverse_path && !is_ascii(*mail.reverse_path)) {
    return std::unexpected(replies::kSenderNeedsUtf8);
  }
  return terms;
}

std::optional<std::string_view> judge_rcpt(const command::Rcpt& rcpt, const Offer& offer, const MailTerms& terms) {
  MailTerms unchanged = terms;
  if (const Wrong wrong = judge(kOfRcpt, rcpt.params, offer, unchanged); !wrong.empty()) return wrong;
  if (!terms.smtputf8 && !is_ascii(rcpt.mailbox)) return replies::kRecipientNeedsUtf8;
  return std::nullopt;
}

}  // namespace hooksmtpd::smtp
