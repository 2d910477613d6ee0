// AUTH (RFC 4954): the lines of the dialogue. What they mean is proto/sasl's.

#include <algorithm>
#include <utility>

#include "proto/sasl/base64.h"
#include "proto/sasl/wipe.h"
#include "proto/smtp/limits.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/reply.h"
#include "proto/smtp/session.h"
#include "proto/smtp/verdict_reply.h"

namespace hooksmtpd::smtp {
namespace {

using Source = Settings::Auth::Source;

// Not a Reply: a challenge may be longer than its lines are (RFC 4954 §4).
std::string challenge_reply(std::string_view bytes) { return "334 " + sasl::base64_encode(bytes) + "\r\n"; }

// RFC 4954 §4: "=" is an empty initial response.
std::optional<std::string> decode_initial(std::string_view text) {
  if (text == "=") return std::string();
  return sasl::base64_decode(text);
}

}  // namespace

void Session::auth(std::string_view arguments) {
  if (authenticated()) return say(replies::kAuthTwice);
  if (arguments.empty()) return say(replies::kNeedsArgument);
  const std::string_view name = arguments.substr(0, arguments.find(' '));
  const auto mechanism = sasl::parse_mechanism(name);
  const auto& offered = settings_.auth.mechanisms;
  if (!mechanism || std::ranges::find(offered, *mechanism) == offered.end()) return say(replies::kUnknownMechanism);
  if (!offers(Extension::kAuth, circumstances())) return say(replies::kAuthNeedsTls);
  const sasl::PasswordFile* const users = settings_.auth.source == Source::kPasswords ? settings_.auth.users : nullptr;
  if (settings_.auth.source == Source::kPasswords && !users) return say(replies::kNoAuthNow);
  const bool has_initial = name.size() < arguments.size();
  auto initial = has_initial ? decode_initial(arguments.substr(name.size() + 1)) : std::optional<std::string>();
  if (has_initial && !initial) return say(replies::kBadBase64);
  if (!extras_) extras_ = std::make_unique<Extras>();
  extras_->mechanism = *mechanism;
  extras_->claimed_user.clear();
  extras_->exchange.emplace(*mechanism, users, host_.nonce(), settings_.hostname);
  const sasl::Step step = extras_->exchange->begin(initial);
  if (initial) sasl::wipe(*initial);
  auth_step(step);
}

// A line of the client, in State::kAuth.
void Session::auth_response(std::string_view line) {
  if (!extras_->auth_refusal.empty()) return end_auth(extras_->auth_refusal);
  if (line == "*") return end_auth(replies::kAuthCancelled);
  auto response = sasl::base64_decode(line);
  if (!response) return end_auth(replies::kBadBase64);
  const sasl::Step step = extras_->exchange->next(*response);
  sasl::wipe(*response);  // where it lies: a short string that is moved leaves a copy behind
  auth_step(step);
}

void Session::auth_step(const sasl::Step& step) {
  state_ = State::kReady;
  if (const auto* challenge = std::get_if<sasl::Challenge>(&step)) {
    state_ = State::kAuth;
    return say(challenge_reply(challenge->bytes));
  }
  if (const auto* refused = std::get_if<sasl::Refused>(&step)) {
    if (!refused->malformed) ++extras_->failed_logins;
    return refuse_auth(refused->malformed ? replies::kBadResponse : replies::kAuthRefused, refused->final_challenge);
  }
  const sasl::Credentials& credentials = extras_->exchange->credentials();
  const bool judged = std::holds_alternative<sasl::Judge>(step) && settings_.auth.source == Source::kHook;
  if (!judged) return authenticated_as(credentials.user);
  question::Auth question{.credentials = credentials};
  extras_->claimed_user = credentials.user;
  extras_->exchange.reset();  // it holds them, too
  ask(std::move(question));
}

void Session::authenticated_as(const std::string& user) {
  extras_->authenticated = true;
  extras_->user = user;
  end_auth(replies::kAuthenticated);
}

// A token that is refused is explained in a last challenge, and the reply comes after the client's answer to it,
// whatever that is (RFC 7628 §3.2.3).
void Session::refuse_auth(std::string_view reply, const std::string& final_challenge) {
  if (final_challenge.empty()) return end_auth(reply);
  extras_->auth_refusal = reply;
  state_ = State::kAuth;
  say(challenge_reply(final_challenge));
}

void Session::end_auth(std::string_view reply) {
  const std::string last(reply);  // it may be what is forgotten here
  if (extras_->exchange) extras_->claimed_user = extras_->exchange->credentials().user;
  extras_->exchange.reset();
  extras_->auth_refusal.clear();
  state_ = State::kReady;
  host_.auth_over(extras_->mechanism, extras_->claimed_user, last);
  say(last);
  if (extras_->failed_logins >= kMaxFailedLogins) end(End::kLimit, replies::kTooManyLogins);
}

void Session::answered(const question::Auth& asked, const mail::Verdict& verdict) {
  if (mail::accepts(verdict)) return authenticated_as(asked.credentials.user);
  if (verdict.action == mail::Action::kDefer && verdict.code == 0) return end_auth(replies::kNoAuthNow);
  const auto own = own_reply(verdict);
  const std::string_view reply = own ? own->wire() : replies::kAuthRefused;
  if (verdict.action == mail::Action::kDefer) return end_auth(reply);
  ++extras_->failed_logins;  // whatever its code, and whatever the client says to a last challenge
  refuse_auth(reply, sasl::refused_by_judge(asked.credentials.mechanism).final_challenge);
}

}  // namespace hooksmtpd::smtp
