// CRAM-MD5 (RFC 2195): the server speaks first, and the client answers with its name and a digest of what was said.

#pragma once

#include <string>

#include "proto/sasl/dialogue.h"

namespace hooksmtpd::sasl {

class CramMd5 : public Dialogue {
 public:
  CramMd5(const PasswordFile* users, std::string_view nonce, std::string_view hostname);

  // An initial response makes no sense here: 501 (RFC 4954 §4).
  Step begin(std::optional<std::string_view> initial_response) override;
  Step next(std::string_view response) override;
};

}  // namespace hooksmtpd::sasl
