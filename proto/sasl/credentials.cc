#include "proto/sasl/credentials.h"

#include "proto/sasl/wipe.h"

namespace hooksmtpd::sasl {

Credentials::~Credentials() {
  wipe(password);
  wipe(token);
  wipe(digest);
}

}  // namespace hooksmtpd::sasl
