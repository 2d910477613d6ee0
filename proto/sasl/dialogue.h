// What every mechanism's side of an exchange has in common.

#pragma once

#include <optional>
#include <string_view>

#include "proto/sasl/credentials.h"
#include "proto/sasl/password_file.h"
#include "proto/sasl/step.h"

namespace hooksmtpd::sasl {

class Dialogue {
 public:
  virtual ~Dialogue() = default;

  // The client speaks first, except where a mechanism says otherwise: without an initial response it gets an empty
  // challenge (RFC 4954 §4).
  virtual Step begin(std::optional<std::string_view> initial_response) {
    if (!initial_response) return Challenge{};
    return next(*initial_response);
  }

  virtual Step next(std::string_view response) = 0;

  const Credentials& credentials() const { return credentials_; }

 protected:
  Dialogue(Mechanism mechanism, const PasswordFile* users) : users_(users), credentials_(mechanism) {}

  // To act as somebody else is up to a hook; a password file gives nobody that right.
  bool acts_as_another() const {
    return !credentials_.authorization_id.empty() && credentials_.authorization_id != credentials_.user;
  }

  static Step malformed() { return Refused{.malformed = true, .final_challenge = {}}; }
  static Step refused() { return Refused{}; }

  const PasswordFile* users_;  // null: somebody else judges
  Credentials credentials_;
};

}  // namespace hooksmtpd::sasl
