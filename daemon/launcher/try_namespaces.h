// Whether namespaces and jails are to be had here, by trying: what a kernel's settings, a security module and a
// container together allow, nothing else tells.

#pragma once

#include <string>

namespace hooksmtpd::launcher {

// Each in a process of its own, as root or, for a plain user, within a user namespace. Why not, for people; empty: they
// are.
std::string why_no_jail();
std::string why_no_namespaces();

}  // namespace hooksmtpd::launcher
