// Bearer tokens: OAUTHBEARER (RFC 7628) and the older XOAUTH2 of Google, which differ in how they begin. The token is
// not looked into: a judge does that, or anything is accepted.

#pragma once

#include "proto/sasl/dialogue.h"

namespace hooksmtpd::sasl {

class Bearer : public Dialogue {
 public:
  explicit Bearer(Mechanism mechanism) : Dialogue(mechanism, nullptr) {}

  Step next(std::string_view response) override;
};

// What the client is told when its token was refused (RFC 7628 §3.2.2), in JSON; empty for the other mechanisms.
std::string_view token_refused(Mechanism mechanism);

}  // namespace hooksmtpd::sasl
