#include "proto/sasl/login.h"

#include "proto/sasl/account.h"
#include "proto/sasl/bounds.h"

namespace hooksmtpd::sasl {

Step Login::begin(std::optional<std::string_view> initial_response) {
  if (!initial_response) return Challenge{"Username:"};
  return next(*initial_response);
}

Step Login::next(std::string_view response) {
  if (credentials_.user.empty()) {
    if (!is_name(response)) return malformed();
    credentials_.user = response;
    return Challenge{"Password:"};
  }
  if (!is_password(response)) return malformed();
  credentials_.password = response;
  if (!users_) return Judge{};
  return check_password(*users_, credentials_);
}

}  // namespace hooksmtpd::sasl
