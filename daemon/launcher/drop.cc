#include "daemon/launcher/drop.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

using sys::must;

void empty_bounding_set() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    must(::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "prctl PR_CAPBSET_DROP");
  }
}

bool has_setpcap() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  must(::syscall(SYS_capget, &header, sets.data()), "capget");
  return (sets[0].effective & (1U << CAP_SETPCAP)) != 0;
}

void empty_capability_sets() {
  must(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "prctl PR_CAP_AMBIENT_CLEAR_ALL");
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> held{};
  must(::syscall(SYS_capget, &header, held.data()), "capget");
  const auto is_empty = [](const __user_cap_data_struct& part) {
    return (part.effective | part.permitted | part.inheritable) == 0;
  };
  if (std::ranges::all_of(held, is_empty)) return;  // a service that is never root may not even ask
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  must(::syscall(SYS_capset, &header, none.data()), "capset");
}

void verify_that_root_is_gone(const Identity& identity) {
  std::array<uid_t, 3> uids{};
  std::array<gid_t, 3> gids{};
  must(::getresuid(&uids[0], &uids[1], &uids[2]), "getresuid");
  must(::getresgid(&gids[0], &gids[1], &gids[2]), "getresgid");
  const bool changed = uids == std::array{identity.uid, identity.uid, identity.uid} &&
                       gids == std::array{identity.gid, identity.gid, identity.gid};
  const bool back = ::setuid(0) == 0 || ::seteuid(0) == 0 || ::setresuid(0, 0, 0) == 0 || ::setgid(0) == 0 ||
                    ::setegid(0) == 0 || ::setgroups(0, nullptr) == 0;
  if (!changed || back) throw std::logic_error("root could not be given up");
}

}  // namespace

void drop_to(const Identity& identity) {
  if (::geteuid() == 0) {
    if (identity.uid == 0 || identity.gid == 0) throw std::logic_error("an identity must not be root");
    empty_bounding_set();  // needs CAP_SETPCAP, which goes with the uid
    must(::setgroups(0, nullptr), "setgroups");
    must(::setresgid(identity.gid, identity.gid, identity.gid), "setresgid");
    must(::setresuid(identity.uid, identity.uid, identity.uid), "setresuid");
    empty_capability_sets();
    verify_that_root_is_gone(identity);
  } else {
    // Within a user namespace of its own it has them all.
    if (has_setpcap()) empty_bounding_set();
    empty_capability_sets();
  }
  must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS");
  must(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE");  // a change of uid resets it: last
}

}  // namespace hooksmtpd::launcher
