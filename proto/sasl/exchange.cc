#include "proto/sasl/exchange.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "proto/sasl/bearer.h"
#include "proto/sasl/cram_md5.h"
#include "proto/sasl/login.h"
#include "proto/sasl/plain.h"
#include "proto/sasl/scram.h"

namespace hooksmtpd::sasl {

namespace {

// RFC 5802 §7: a nonce is printable, without ','. All of these are atext too, which CRAM-MD5 needs.
bool may_be_nonce(std::string_view nonce) {
  return nonce.size() >= 18 && std::ranges::all_of(nonce, [](char c) { return c > ' ' && c < 0x7f && c != ','; });
}

std::unique_ptr<Dialogue> make_dialogue(Mechanism mechanism, const PasswordFile* users, std::string nonce,
                                        std::string_view hostname) {
  switch (mechanism) {
    case Mechanism::kPlain:
      return std::make_unique<Plain>(users);
    case Mechanism::kLogin:
      return std::make_unique<Login>(users);
    case Mechanism::kCramMd5:
      return std::make_unique<CramMd5>(users, nonce, hostname);
    case Mechanism::kScramSha256:
      assert(users && "SCRAM needs keys");
      return std::make_unique<Scram>(*users, std::move(nonce));
    case Mechanism::kXoauth2:
    case Mechanism::kOauthbearer:
      assert(!users && "a password file knows no tokens");
      return std::make_unique<Bearer>(mechanism);
  }
  std::unreachable();
}

bool goes_on(const Step& step) { return std::holds_alternative<Challenge>(step); }

}  // namespace

Exchange::Exchange(Mechanism mechanism, const PasswordFile* users, std::string nonce, std::string_view hostname) {
  assert(may_be_nonce(nonce));
  dialogue_ = make_dialogue(mechanism, users, std::move(nonce), hostname);
}

Exchange::Exchange(Exchange&&) noexcept = default;
Exchange& Exchange::operator=(Exchange&&) noexcept = default;
Exchange::~Exchange() = default;

Step Exchange::begin(std::optional<std::string_view> initial_response) {
  assert(!over_);
  Step step = dialogue_->begin(initial_response);
  over_ = !goes_on(step);
  return step;
}

Step Exchange::next(std::string_view response) {
  assert(!over_);
  Step step = dialogue_->next(response);
  over_ = !goes_on(step);
  return step;
}

const Credentials& Exchange::credentials() const { return dialogue_->credentials(); }

Refused refused_by_judge(Mechanism mechanism) {
  return {.malformed = false, .final_challenge = std::string(token_refused(mechanism))};
}

}  // namespace hooksmtpd::sasl
