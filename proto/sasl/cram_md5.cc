#include "proto/sasl/cram_md5.h"

#include <algorithm>

#include "proto/sasl/account.h"
#include "proto/sasl/bounds.h"
#include "proto/sasl/digest.h"
#include "proto/sasl/hmac_md5.h"

namespace hooksmtpd::sasl {

CramMd5::CramMd5(const PasswordFile* users, std::string_view nonce, std::string_view hostname)
    : Dialogue(Mechanism::kCramMd5, users) {
  // §2 wants random digits and a timestamp, so that it comes once only; the nonce does that.
  credentials_.challenge = '<' + std::string(nonce) + '@' + std::string(hostname) + '>';
}

Step CramMd5::begin(std::optional<std::string_view> initial_response) {
  if (initial_response) return malformed();
  return Challenge{credentials_.challenge};
}

// user SP digest, where the name may have spaces of its own.
Step CramMd5::next(std::string_view response) {
  const std::size_t space = response.rfind(' ');
  if (space == response.npos) return malformed();
  const std::string_view user = response.substr(0, space);
  const std::string_view digest = response.substr(space + 1);
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!is_name(user) || digest.size() != 32 || !std::ranges::all_of(digest, is_hex)) return malformed();

  credentials_.user = user;
  credentials_.digest = digest;
  if (!users_) return Judge{};
  Account account = find_account(*users_, user);
  const bool fits = equal(octets(hmac_md5_hex(account.cram, credentials_.challenge)), octets(digest));
  if (!fits || !account.has_cram) return refused();
  credentials_.user = std::move(account.user);
  return Accepted{};
}

}  // namespace hooksmtpd::sasl
