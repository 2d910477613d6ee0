// What the worker may still do once it has crossed the line (daemon/sys/sandbox.h): read and write what is open, accept
// clients, and keep messages in the spool. No program, no process, no socket of its own, no other file.

#pragma once

#include "daemon/sys/fd.h"
#include "daemon/sys/sandbox.h"

namespace hooksmtpd::worker {

sys::OwnSandbox sandbox(const sys::Fd& spool);

}  // namespace hooksmtpd::worker
