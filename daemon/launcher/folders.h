// The folders of a running daemon.
//
//   runtime_dir/                 control.sock, and a lock on the folder itself: one daemon a folder
//   runtime_dir/spool/           messages under way: a tmpfs in our mount namespace, of the worker's uid
//   runtime_dir/spool/incoming/  the worker's alone (0700)
//   runtime_dir/spool/NAME/      for the hook NAME: the worker's, and its group may pass (0710)
//   runtime_dir/mime/NAME/       parts of messages for the hook NAME: the mime hook's, NAME's group may pass (0710); a
//                                tmpfs like the spool, where some hook is asked about deliver_mime
//   state_dir/hooks/NAME/        what the hook NAME keeps: its group may do anything (0770)
//
// Made without CAP_CHOWN, CAP_FOWNER or CAP_DAC_OVERRIDE: each by whoever owns it, with the group of whoever may use
// it. A plain user has the same folders, all his own and closed to others; his spool is no mount.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>

#include "config/config.h"
#include "daemon/launcher/identities.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

std::filesystem::path spool_folder(const config::Config& config);
std::filesystem::path spool_folder(const config::Config& config, const config::Hook& hook);
std::filesystem::path mime_folder(const config::Config& config);
std::filesystem::path state_folder(const config::Config& config, const config::Hook& hook);

// The folder `path`, made with its parents where it is missing; an existing one stays as its owner wants it. Throws
// std::system_error.
sys::Fd make_folder_and_parents(const std::filesystem::path& path, mode_t mode);

// runtime_dir itself, where it is missing. Throws StartError.
void make_runtime_folder(const config::Config& config);

struct Folders {
  sys::Fd lock;           // keep it open as long as the daemon runs
  sys::Fd control;        // the control socket, listening
  std::size_t leftovers;  // messages of an earlier run that were in the spool; they are removed
};

// Throws StartError; EX_UNAVAILABLE where another daemon uses runtime_dir. As root it needs CAP_SETUID, CAP_SETGID and
// CAP_SYS_ADMIN, and a mount namespace of our own.
Folders make_folders(const config::Config& config, const Identities& identities);

// Those of the hooks only, for a hook that runs without a daemon. As make_folders(), except that nobody else is minded.
void make_hook_folders(const config::Config& config, const Identities& identities);

}  // namespace hooksmtpd::launcher
