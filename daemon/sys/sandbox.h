// The line that the worker and the keyholder cross before they read their first byte from outside. Whatever looks at
// the machine happens above it.
//
// Root, uid and namespaces were given to them by their keeper's jail (daemon/launcher/jail.h); what is left is what a
// process has to do for itself after exec.

#pragma once

namespace hooksmtpd::sys {

// Throws std::runtime_error where a privilege is left, std::system_error where the kernel refuses.
void enter_sandbox();

}  // namespace hooksmtpd::sys
