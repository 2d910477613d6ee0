#include "daemon/launcher/mounts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>

#include "daemon/launcher/start_error.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {

using sys::Fd;
using sys::must;

Fd new_mount(const char* type, std::initializer_list<MountOption> options, std::uint64_t attributes) {
  const Fd context(must(::fsopen(type, FSOPEN_CLOEXEC), fmt::format("fsopen {}", type)));
  for (const auto& [key, value] : options) {
    must(::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0),
         fmt::format("{} {}={}", type, key, value));
  }
  must(::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), fmt::format("create a {}", type));
  return Fd(must(::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)),
                 fmt::format("fsmount {}", type)));
}

Fd bind_mount(const Fd& place, Depth depth, std::uint64_t attributes) {
  const bool below = depth == Depth::kMountsBelowToo;
  const unsigned recursive = below ? AT_RECURSIVE : 0;
  Fd tree(
      must(::open_tree(place.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive), "open_tree"));
  mount_attr change{};
  change.attr_set = attributes;
  change.propagation = MS_PRIVATE;
  must(::mount_setattr(tree.get(), "", AT_EMPTY_PATH | recursive, &change, sizeof change), "mount_setattr");
  return tree;
}

void attach(const Fd& mount, const Fd& target) {
  must(::move_mount(mount.get(), "", target.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
       "move_mount");
}

void own_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) {
    throw StartError(EX_OSERR,
                     fmt::format("a mount namespace: {}\n"
                                 "  root needs CAP_SYS_ADMIN to build the jails, and drops it then: in a container, "
                                 "--cap-add SYS_ADMIN\n  or start hooksmtpd as a plain user on a high port",
                                 sys::errno_text(errno)));
  }
  must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make the mounts private");
}

}  // namespace hooksmtpd::launcher
