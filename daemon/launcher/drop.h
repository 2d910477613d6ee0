// Giving up privileges, for good.

#pragma once

#include <sys/types.h>

#include <string>

namespace hooksmtpd::launcher {

// Who a process is to be.
struct Identity {
  uid_t uid;
  gid_t gid;
  std::string name;  // for passwd(5)
};

// Root becomes `identity`: bounding set, groups, gid, uid, capabilities; then it tries to get root back, and throws if
// it can. No process that went through here has a capability in any set, or gains one by exec (no_new_privs); it cannot
// be traced by others of its uid until it executes something (not dumpable). A plain user stays who he is and loses
// whatever capabilities the program file gave him.
void drop_to(const Identity& identity);

}  // namespace hooksmtpd::launcher
