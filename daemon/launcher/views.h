// What each process sees: the contents of the jails.

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/identities.h"
#include "daemon/launcher/jail.h"

namespace hooksmtpd::launcher {

// A hook: /usr and its kin, a small /etc, /dev, its own /proc and /tmp, its state folder (writable), its part of the
// spool, the folder of its command, that of the SDKs, those of sandbox.read; the parts of messages that are made for
// it, or of the mime hook all that it makes. kProgramOnly leaves out what a start has yet to make.
enum class View : std::uint8_t { kWhole, kProgramOnly };
struct HookView {
  const Identity& identity;
  std::filesystem::path sdk;
  View view = View::kWhole;
};
Jail hook_jail(const config::Config& config, const config::Hook& hook, const HookView& view);

// The worker: the files that it has mapped, the spool (writable), /proc, /dev/null, the time zone.
Jail worker_jail(const config::Config& config, std::span<const std::filesystem::path> mapped_files);

// The keyholder: the files that it has mapped, and the folders of the key files, so that a reload finds the new ones.
Jail keyholder_jail(const config::Config& config, std::span<const std::filesystem::path> mapped_files);

// The supervisor: the folders of the files that its configuration was read from, or names (`read`), to reload them; and
// runtime_dir with the control socket.
Jail supervisor_root(const config::Config& config, std::span<const std::filesystem::path> config_folders,
                     std::span<const std::filesystem::path> read);

}  // namespace hooksmtpd::launcher
