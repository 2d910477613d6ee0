#include "daemon/launcher/views.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "config/ready_made.h"
#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/folders.h"
#include "daemon/launcher/start_error.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;
using Access = Jail::Access;

// What these hold in a jail is its own, and /run is full of sockets that other services trust.
constexpr std::array kReserved{"/", "/etc", "/run", "/tmp"};
constexpr std::array kReservedWithAllBelow{"/dev", "/proc", "/sys"};

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void show(Jail& jail, const fs::path& path) { jail.binds.push_back({.path = path}); }

void show_if_there(Jail& jail, const fs::path& path) {
  if (is_there(path)) show(jail, path);
}

// A copy, for files that people replace: the jail keeps what was there at start.
void copy_if_there(Jail& jail, const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return;
  std::ostringstream text;
  text << in.rdbuf();
  jail.files.push_back({path, std::move(text).str()});
}

// /bin, /lib64 and so on are links into /usr since Debian 10, folders before.
void show_system_folders(Jail& jail) {
  show(jail, "/usr");
  for (const fs::path folder : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
    std::error_code no_link;
    const fs::path target = fs::read_symlink(folder, no_link);
    if (!no_link) {
      jail.links.push_back({folder, target});
    } else {
      show_if_there(jail, folder);
    }
  }
}

// Some languages want a name for the uid they run as (Node's os.userInfo() throws without one).
void add_users(Jail& jail, const Identity& identity, const fs::path& home) {
  jail.files.push_back({"/etc/passwd", fmt::format("root:x:0:0:root:/:/usr/sbin/nologin\n"
                                                   "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
                                                   "{}:x:{}:{}::{}:/bin/sh\n",
                                                   identity.name, identity.uid, identity.gid, home.string())});
  jail.files.push_back(
      {"/etc/group", fmt::format("root:x:0:\nnogroup:x:65534:\n{}:x:{}:\n", identity.name, identity.gid)});
}

void add_etc(Jail& jail) {
  for (const char* file : {"/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf",
                           "/etc/ssl/openssl.cnf"}) {
    copy_if_there(jail, file);
  }
  show_if_there(jail, "/etc/alternatives");  // /usr/bin/awk and others lead there
  show_if_there(jail, "/etc/ssl/certs");
}

void add_devices(Jail& jail, std::initializer_list<const char*> devices) {
  for (const char* device : devices) jail.binds.push_back({.path = device, .access = Access::kDevice});
}

void add_descriptor_links(Jail& jail) {
  jail.links.push_back({"/dev/fd", "/proc/self/fd"});
  jail.links.push_back({"/dev/stdin", "/proc/self/fd/0"});
  jail.links.push_back({"/dev/stdout", "/proc/self/fd/1"});
  jail.links.push_back({"/dev/stderr", "/proc/self/fd/2"});
  jail.links.push_back({"/dev/shm", "../tmp"});  // POSIX semaphores and shared memory
}

bool is_or_is_below(const fs::path& path, const fs::path& folder) {
  return std::ranges::mismatch(folder, path).in1 == folder.end();
}

// The folder of a file: a single file, once bound, would not change when an editor puts a new one in its place.
fs::path folder_of(const fs::path& path) {
  const sys::Fd place = open_path(path);
  struct stat status{};
  if (::fstat(place.get(), &status) == 0 && !S_ISDIR(status.st_mode)) return path.parent_path();
  return path;
}

bool can_be_opened(const fs::path& path) {
  try {
    return open_path(path).valid();
  } catch (const std::system_error&) {
    return false;
  }
}

// Behind all links; empty where there is nothing.
fs::path real_place_of(const fs::path& path) {
  try {
    return fs::read_symlink(fmt::format("/proc/self/fd/{}", open_path(path).get()));
  } catch (const std::system_error&) {
    return {};
  }
}

bool is_reserved(const fs::path& folder) {
  return std::ranges::find(kReserved, folder) != kReserved.end() ||
         std::ranges::any_of(kReservedWithAllBelow,
                             [&](const fs::path above) { return is_or_is_below(folder, above); });
}

// What the configuration names: the command's folder, and those of sandbox.read and sandbox.write.
void show_named(Jail& jail, const config::Hook& hook, const fs::path& path, Access access = Access::kRead) try {
  const fs::path folder = folder_of(path.lexically_normal());
  if (is_reserved(folder)) {
    throw config_error(hook.source, fmt::format("hook {}: its jail cannot show {} as it is outside: put what the hook "
                                                "needs into a folder of its own",
                                                hook.name, folder.string()));
  }
  for (const Jail::Link& link : jail.links) {
    if (is_or_is_below(folder, link.path)) return;  // "/bin": all of it is in /usr, which is shown
  }
  jail.binds.push_back({.path = folder, .access = access});
} catch (const std::system_error& error) {
  throw config_error(hook.source, fmt::format("hook {}: {}", hook.name, error.what()));
}

// The folder in which `file` is named, and the one in which it lies if a link leads elsewhere. A folder that is not
// there yet cannot be shown; what it may hold later is read after a restart.
void show_folder_of(Jail& jail, const fs::path& file) {
  if (file.empty()) return;
  for (const fs::path& folder : {file.parent_path(), real_place_of(file).parent_path()}) {
    if (!folder.empty() && folder != "/" && can_be_opened(folder)) show(jail, folder);
  }
}

}  // namespace

Jail hook_jail(const config::Config& config, const config::Hook& hook, const HookView& view) {
  Jail jail;
  jail.temporary_folder = true;
  jail.processes = true;
  show_system_folders(jail);
  add_users(jail, view.identity, state_folder(config, hook));
  add_etc(jail);
  add_devices(jail, {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"});
  add_descriptor_links(jail);
  show_named(jail, hook, hook.command.front());
  for (const fs::path& folder : hook.sandbox.read) show_named(jail, hook, folder);
  for (const fs::path& folder : hook.sandbox.write) show_named(jail, hook, folder, Access::kReadWrite);
  show_if_there(jail, view.sdk);
  if (view.view == View::kWhole) {
    if (hook.name == config::kMimeHook) {
      jail.binds.push_back({.path = mime_folder(config), .access = Access::kReadWrite});
    } else if (hook.on(config::HookEvent::kDeliverMime).subscribed) {
      show(jail, config::mime_folder(config, hook));
    }
    show(jail, spool_folder(config, hook));
    jail.binds.push_back({.path = state_folder(config, hook), .access = Access::kReadWrite});
  }
  return jail;
}

Jail worker_jail(const config::Config& config, std::span<const fs::path> mapped_files) {
  Jail jail;
  jail.processes = true;
  for (const fs::path& file : mapped_files) show(jail, file);
  copy_if_there(jail, "/etc/ld.so.cache");
  copy_if_there(jail, "/etc/localtime");
  add_devices(jail, {"/dev/null"});
  jail.binds.push_back({.path = spool_folder(config), .access = Access::kReadWrite});
  return jail;
}

Jail keyholder_jail(const config::Config& config, std::span<const fs::path> mapped_files) {
  Jail jail;
  jail.processes = true;
  for (const fs::path& file : mapped_files) show(jail, file);
  copy_if_there(jail, "/etc/ld.so.cache");
  copy_if_there(jail, "/etc/localtime");
  for (const config::Certificate& certificate : config.tls.certificates) {
    show_folder_of(jail, certificate.key);
    show_folder_of(jail, certificate.key_password_file);
  }
  // What else is in there is too much to show. Such keys are read at start only.
  std::erase_if(jail.binds, [](const Jail::Bind& bind) { return is_reserved(bind.path); });
  add_devices(jail, {"/dev/null"});
  return jail;
}

Jail supervisor_root(const config::Config& config, std::span<const fs::path> config_folders,
                     std::span<const fs::path> read) {
  Jail jail;
  for (const fs::path& folder : config_folders) {
    if (folder != "/") show(jail, folder);
  }
  for (const fs::path& file : read) show_folder_of(jail, file);
  // Without what is mounted below it: the spool is the worker's.
  jail.binds.push_back({.path = config.runtime_dir, .access = Access::kReadWrite, .mounts_below = false});
  return jail;
}

}  // namespace hooksmtpd::launcher
