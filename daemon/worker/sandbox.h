// The line that the worker crosses before it reads its first byte from outside. Whatever opens files or looks at the
// machine happens above it.
//
// Its own root, its uid and its namespaces were given to it by its keeper's jail (daemon/launcher/jail.h); what is left
// is what a process has to do for itself after exec.

#pragma once

namespace hooksmtpd::worker {

// Throws std::runtime_error where a privilege is left, std::system_error where the kernel refuses.
void enter_sandbox();

}  // namespace hooksmtpd::worker
