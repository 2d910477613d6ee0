#include "proto/sasl/account.h"

#include <algorithm>

#include "proto/sasl/digest.h"
#include "proto/sasl/saslprep.h"
#include "proto/sasl/scram_keys.h"
#include "proto/sasl/wipe.h"

namespace hooksmtpd::sasl {

namespace {

// 32 octets that look random to whoever does not know the file, and are the same for the same name.
Key made_up(const PasswordFile& users, std::string_view what, std::string_view user) {
  return hmac_sha256(users.seed(), std::string(what) + ' ' + std::string(user));
}

Account decoy(const PasswordFile& users, std::string_view user) {
  std::uint32_t iterations = kMinIterations;
  std::size_t salt_size = 16;
  if (!users.entries().empty()) {
    const Key choice = made_up(users, "like", user);
    const std::size_t number = choice[0] | choice[1] * 0x100U | choice[2] * 0x10000U;
    const ScramKeys& like = users.entries()[number % users.entries().size()].scram;
    iterations = like.iterations;
    salt_size = like.salt.size();
  }
  std::string salt(text(made_up(users, "salt", user)));
  salt += text(made_up(users, "more salt", user));
  salt.resize(salt_size);

  Account account{.user = std::string(user),
                  .scram = {.iterations = iterations,
                            .salt = std::move(salt),
                            .stored = made_up(users, "stored", user),
                            .server = made_up(users, "server", user)},
                  .cram = {}};
  const Key states = made_up(users, "states", user);
  std::copy_n(states.begin(), 16, account.cram.outer.begin());
  std::copy_n(states.begin() + 16, 16, account.cram.inner.begin());
  return account;
}

}  // namespace

Account find_account(const PasswordFile& users, std::string_view user) {
  const auto prepared = saslprep(user);
  // The decoy is made in any case: its absence would be time that can be measured.
  Account account = decoy(users, prepared ? *prepared : user);
  const Entry* entry = prepared ? users.find(*prepared) : nullptr;
  if (!entry) return account;
  account.exists = true;
  account.scram = entry->scram;
  account.has_cram = entry->cram.has_value();
  if (entry->cram) account.cram = *entry->cram;
  return account;
}

Step check_password(const PasswordFile& users, Credentials& credentials) {
  auto prepared = saslprep(credentials.password);
  if (!prepared) return Refused{};  // says something about the password only
  const Wiped password(std::move(*prepared));
  Account account = find_account(users, credentials.user);
  const bool fits = is_password_of(account.scram, password.text);
  if (!fits || !account.exists) return Refused{};
  credentials.user = std::move(account.user);
  return Accepted{};
}

}  // namespace hooksmtpd::sasl
