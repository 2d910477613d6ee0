// -bs: the caller speaks SMTP, and this program is only the wire.

#pragma once

#include "daemon/sendmail/failure.h"

namespace hooksmtpd::sendmail {

// Copies `input` to `connection` and `connection` to `output` until the server closes. The end of `input` is passed on.
Result<> copy_both_ways(int input, int output, int connection);

}  // namespace hooksmtpd::sendmail
