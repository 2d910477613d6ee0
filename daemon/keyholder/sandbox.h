// What the keyholder may still do once it has crossed the line (daemon/sys/sandbox.h): answer on the sockets that it is
// handed, and read the key files that its jail shows.

#pragma once

#include "daemon/sys/sandbox.h"

namespace hooksmtpd::keyholder {

sys::OwnSandbox sandbox();

}  // namespace hooksmtpd::keyholder
