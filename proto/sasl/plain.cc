#include "proto/sasl/plain.h"

#include "proto/sasl/account.h"
#include "proto/sasl/bounds.h"

namespace hooksmtpd::sasl {

// §2: [authzid] NUL authcid NUL passwd
Step Plain::next(std::string_view response) {
  const std::size_t first = response.find('\0');
  if (first == response.npos) return malformed();
  const std::size_t second = response.find('\0', first + 1);
  if (second == response.npos) return malformed();

  const std::string_view authorization_id = response.substr(0, first);
  const std::string_view user = response.substr(first + 1, second - first - 1);
  const std::string_view password = response.substr(second + 1);
  if (authorization_id.size() > kMaxUser || !is_name(user) || !is_password(password)) return malformed();

  credentials_.authorization_id = authorization_id;
  credentials_.user = user;
  credentials_.password = password;
  if (!users_) return Judge{};
  if (acts_as_another()) return refused();
  return check_password(*users_, credentials_);
}

}  // namespace hooksmtpd::sasl
