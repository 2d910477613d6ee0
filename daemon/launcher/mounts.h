// Mounts by descriptor: nothing is looked up by name twice, and no name has to be searchable by root.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

using MountOption = std::pair<const char*, std::string>;

// A file system of its own, mounted nowhere yet. `attributes`: MOUNT_ATTR_*. Throws std::system_error.
sys::Fd new_mount(const char* type, std::initializer_list<MountOption> options, std::uint64_t attributes);

// A second view of what `place` (O_PATH) names, mounted nowhere yet, with these attributes added.
enum class Depth { kThisMount, kMountsBelowToo };
sys::Fd bind_mount(const sys::Fd& place, Depth depth, std::uint64_t attributes);

// Hangs a mount over the folder or file `target` (O_PATH).
void attach(const sys::Fd& mount, const sys::Fd& target);

// A mount namespace of our own from which nothing leaks back.
void own_mount_namespace();

}  // namespace hooksmtpd::launcher
