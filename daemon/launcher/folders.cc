#include "daemon/launcher/folders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "config/ready_made.h"
#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/mounts.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

using sys::Fd;
using sys::must;
namespace fs = std::filesystem;

constexpr const char* kControlSocket = "control.sock";

std::string by_descriptor(const Fd& place) { return fmt::format("/proc/self/fd/{}", place.get()); }

struct stat status_of(const Fd& place, const fs::path& path) {
  struct stat status{};
  must(::fstat(place.get(), &status), path.string());
  return status;
}

struct Wanted {
  std::optional<gid_t> group;  // empty: does not matter
  mode_t mode;
};

// The folder `name` in `parent`, made where it is missing. It belongs to whoever owns `parent`, for nobody else may
// write there; `wanted.group` and `wanted.mode` hold whoever had made it.
Fd make_folder(const Fd& parent, const fs::path& path, const Wanted& wanted) {
  const struct stat above = status_of(parent, path);
  const FileIdentity owner(above.st_uid, wanted.group.value_or(above.st_gid));
  const std::string name = path.filename();
  if (::mkdirat(parent.get(), name.c_str(), wanted.mode) != 0 && errno != EEXIST) {
    sys::throw_errno("mkdir " + path.string());
  }
  Fd folder(must(::openat(parent.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path.string()));
  const struct stat status = status_of(folder, path);
  // A group that is our fsgid may be given away without CAP_CHOWN (chown(2)).
  if (wanted.group && status.st_gid != *wanted.group) {
    must(::chown(by_descriptor(folder).c_str(), static_cast<uid_t>(-1), *wanted.group), "chgrp " + path.string());
  }
  if ((status.st_mode & 07777) != wanted.mode) {
    must(::chmod(by_descriptor(folder).c_str(), wanted.mode), "chmod " + path.string());
  }
  return folder;
}

// One daemon a runtime folder. The kernel frees the lock with the last process that holds it.
Fd lock_folder(const Fd& folder, const fs::path& path) {
  const FileIdentity owner(status_of(folder, path).st_uid, status_of(folder, path).st_gid);
  Fd lock(must(::open(by_descriptor(folder).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), path.string()));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) sys::throw_errno("lock " + path.string());
  throw StartError(EX_UNAVAILABLE,
                   fmt::format("another hooksmtpd runs with runtime_dir = \"{}\"\n  either stop it: hooksmtpctl stop\n"
                               "  or give this one folders of its own: --set runtime_dir=... --set state_dir=...",
                               path.string()));
}

// For root and the supervisor's group: who may connect, may stop the daemon.
Fd bind_control_socket(const Fd& folder, const fs::path& path, const Identities& identities) {
  const FileIdentity owner(status_of(folder, path).st_uid, identities.supervisor.gid);
  ::unlinkat(folder.get(), kControlSocket, 0);  // of a daemon that is gone: we hold its lock
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // By descriptor: the folder's own name may be longer than the 107 octets of an address.
  const std::string name = fmt::format("{}/{}", by_descriptor(folder), kControlSocket);
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  Fd socket(must(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  const mode_t mask = ::umask(0117);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(mask);
  if (bound != 0) sys::throw_errno(fmt::format("bind {}", (path / kControlSocket).string()), error);
  must(::listen(socket.get(), SOMAXCONN), "listen");
  return socket;
}

// What an earlier run of a plain user left: its clients were never told 250.
std::size_t remove_leftovers(const fs::path& spool) {
  std::size_t count = 0;
  std::error_code gone;
  for (const auto& folder : fs::directory_iterator(spool, gone)) {
    for (const auto& file : fs::directory_iterator(folder.path(), gone)) {
      if (fs::remove(file.path(), gone)) ++count;
    }
  }
  return count;
}

// A tmpfs that is `owner`'s, and that others may pass through.
Fd new_tmpfs(const Identity& owner, std::uint64_t octets) {
  return new_mount("tmpfs",
                   {{"mode", "0711"},
                    {"uid", std::to_string(owner.uid)},
                    {"gid", std::to_string(owner.gid)},
                    {"size", std::to_string(octets)}},
                   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

void make_spool(const Fd& runtime, const config::Config& config, const Identities& identities) {
  const fs::path path = spool_folder(config);
  const Identity& worker = identities.worker;
  Fd spool;
  if (identities.separate) {
    const Fd place = make_folder(runtime, path, {.group = {}, .mode = 0755});
    attach(new_tmpfs(worker, config.spool_size), place);
    spool = open_path(path);  // what hangs there now
  } else {
    spool = make_folder(runtime, path, {.group = worker.gid, .mode = 0700});
  }
  make_folder(spool, path / "incoming", {.group = worker.gid, .mode = 0700});
  for (std::size_t i = 0; i < config.hooks.size(); ++i) {
    make_folder(spool, spool_folder(config, config.hooks[i]), {.group = identities.hooks[i].gid, .mode = 0710});
  }
}

// Room for the parts of one message, the largest, beside the tree of it.
std::uint64_t mime_room(const config::Config& config) { return config.mime.size + 16 * 1024 * 1024; }

void make_mime(const Fd& runtime, const config::Config& config, const Identities& identities) {
  const auto hook = std::ranges::find(config.hooks, config::kMimeHook, &config::Hook::name);
  if (hook == config.hooks.end()) return;
  const Identity& mime = identities.hooks[static_cast<std::size_t>(hook - config.hooks.begin())];
  const fs::path path = mime_folder(config);
  Fd folder;
  if (identities.separate) {
    const Fd place = make_folder(runtime, path, {.group = {}, .mode = 0755});
    attach(new_tmpfs(mime, mime_room(config)), place);
    folder = open_path(path);  // what hangs there now
  } else {
    folder = make_folder(runtime, path, {.group = mime.gid, .mode = 0700});
  }
  for (std::size_t i = 0; i < config.hooks.size(); ++i) {
    if (!config.hooks[i].on(config::HookEvent::kDeliverMime).subscribed) continue;
    make_folder(folder, config::mime_folder(config, config.hooks[i]), {.group = identities.hooks[i].gid, .mode = 0710});
  }
}

void make_state(const config::Config& config, const Identities& identities) {
  const Fd state = make_folder_and_parents(config.state_dir, identities.separate ? 0755 : 0700);
  const Fd hooks = make_folder(state, config.state_dir / "hooks", {.group = {}, .mode = 0755});
  for (std::size_t i = 0; i < config.hooks.size(); ++i) {
    make_folder(hooks, state_folder(config, config.hooks[i]), {.group = identities.hooks[i].gid, .mode = 0770});
  }
}

}  // namespace

fs::path spool_folder(const config::Config& config) { return config.runtime_dir / "spool"; }
fs::path spool_folder(const config::Config& config, const config::Hook& hook) {
  return spool_folder(config) / hook.name;
}
fs::path mime_folder(const config::Config& config) { return config.runtime_dir / "mime"; }
fs::path state_folder(const config::Config& config, const config::Hook& hook) {
  return config.state_dir / "hooks" / hook.name;
}

Fd make_folder_and_parents(const fs::path& path, mode_t mode) {
  try {
    return open_path(path);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::no_such_file_or_directory || path == path.parent_path()) throw;
  }
  const Fd parent = make_folder_and_parents(path.parent_path(), mode);
  return make_folder(parent, path, {.group = {}, .mode = mode});
}

void make_runtime_folder(const config::Config& config) try {
  make_folder_and_parents(config.runtime_dir, ::geteuid() == 0 ? 0755 : 0700);
} catch (const std::system_error& error) {
  throw StartError(EX_CANTCREAT, error.what());
}

Folders make_folders(const config::Config& config, const Identities& identities) try {
  const Fd runtime = make_folder_and_parents(config.runtime_dir, identities.separate ? 0755 : 0700);
  Folders folders{};
  folders.lock = lock_folder(runtime, config.runtime_dir);
  folders.control = bind_control_socket(runtime, config.runtime_dir, identities);
  if (!identities.separate) folders.leftovers = remove_leftovers(spool_folder(config));
  make_spool(runtime, config, identities);
  make_mime(runtime, config, identities);
  make_state(config, identities);
  return folders;
} catch (const std::system_error& error) {
  throw StartError(EX_CANTCREAT, error.what());
}

void make_hook_folders(const config::Config& config, const Identities& identities) try {
  const Fd runtime = make_folder_and_parents(config.runtime_dir, identities.separate ? 0755 : 0700);
  make_spool(runtime, config, identities);
  make_mime(runtime, config, identities);
  make_state(config, identities);
} catch (const std::system_error& error) {
  throw StartError(EX_CANTCREAT, error.what());
}

}  // namespace hooksmtpd::launcher
