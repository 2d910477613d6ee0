// SCRAM-SHA-256 (RFC 5802, RFC 7677): both sides prove that they know the password or its keys, and neither says them.
//
// Four messages: client-first, server-first, client-final, server-final. SMTP has no place for data with a success
// (RFC 4954 §4), so server-final goes out as a challenge too, and the client answers it with nothing.
// A failure is told by the reply alone: no "e=" (§5.1), which would say why.

#pragma once

#include "proto/sasl/account.h"
#include "proto/sasl/dialogue.h"

namespace hooksmtpd::sasl {

class Scram : public Dialogue {
 public:
  Scram(const PasswordFile& users, std::string nonce);

  Step next(std::string_view response) override;

 private:
  enum class Awaited { kClientFirst, kClientFinal, kNothing };

  Step client_first(std::string_view message);
  Step client_final(std::string_view message);

  Awaited awaited_ = Awaited::kClientFirst;
  std::string nonce_;         // ours; behind the client's from its first message on
  std::string gs2_header_;    // as it came
  std::string auth_message_;  // what both sides sign, as far as it was said
  Account account_;
};

}  // namespace hooksmtpd::sasl
