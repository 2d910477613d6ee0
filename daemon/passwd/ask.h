// The password, from whoever runs the program. It is never an argument: others would see it.

#pragma once

#include "proto/sasl/wipe.h"

namespace hooksmtpd::passwd {

enum class Asking { kOnce, kTwice };

// On a terminal: asks for it without echo, and a second time if wanted, to see that they are the same. A signal that
// ends the program gives the terminal its echo back first. From anything else: the first line of standard input.
// Throws Failure for what is empty or longer than a client could send (sasl::kMaxPassword).
sasl::Wiped ask_password(Asking asking);

}  // namespace hooksmtpd::passwd
