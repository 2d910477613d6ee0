// Promise P1, as the supervisor checks it before it says READY: no root and no capability in any process.

#pragma once

#include <string>

#include "daemon/launcher/tree.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/process_report.h"

namespace hooksmtpd::launcher {

// Same ids and same namespaces: a child and its keeper.
bool same_identity(const sys::ProcessReport& a, const sys::ProcessReport& b);

// The first keeper that has a privilege left, or shares a namespace with us, as its own report says or as the kernel
// says now, and which; empty: none has.
std::string keepers_privilege(const Tree& tree);

// The same of this process.
std::string own_privilege(const Tree& tree);

}  // namespace hooksmtpd::launcher
