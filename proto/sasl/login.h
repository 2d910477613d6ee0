// LOGIN, which no RFC has, as Outlook and many others speak it: name and password, each asked for.
// draft-murchison-sasl-login-00 wanted other prompts; clients look for the ones that servers have always sent.

#pragma once

#include "proto/sasl/dialogue.h"

namespace hooksmtpd::sasl {

class Login : public Dialogue {
 public:
  explicit Login(const PasswordFile* users) : Dialogue(Mechanism::kLogin, users) {}

  // The server speaks first, but clients are known to send the name with the command.
  Step begin(std::optional<std::string_view> initial_response) override;
  Step next(std::string_view response) override;
};

}  // namespace hooksmtpd::sasl
