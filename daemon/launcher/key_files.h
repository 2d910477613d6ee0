// Private keys, as far as the launcher has to do with them: it reads them as root where nobody else may, and hands them
// on unseen. All reading happens in a process of its own, so that no key was ever in the memory of what becomes the
// supervisor, or of any keeper.

#pragma once

#include "config/config.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

// The key files and password files that `config` names, each read as whoever may: a sealed memfd
// (daemon/sys/key_files.h). One that cannot be read is in it with its errno. Throws StartError.
sys::Fd read_key_files(const config::Config& config);

}  // namespace hooksmtpd::launcher
