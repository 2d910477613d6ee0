// PLAIN (RFC 4616): one message has it all.

#pragma once

#include "proto/sasl/dialogue.h"

namespace hooksmtpd::sasl {

class Plain : public Dialogue {
 public:
  explicit Plain(const PasswordFile* users) : Dialogue(Mechanism::kPlain, users) {}

  Step next(std::string_view response) override;
};

}  // namespace hooksmtpd::sasl
