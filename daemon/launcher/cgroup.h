// Groups of processes with limits of their own (cgroups(7)): one for each instance of a hook, for it and whatever it
// starts. Its keeper stays outside: what ends for want of memory is never the keeper.
//
// They are made below our own group: of version 2 where it was delegated to us (systemd's Delegate=) or where nobody
// else is in it, of version 1 where root has the controller. A group outlives its processes; the next start removes it.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

enum class Controller : std::uint8_t { kMemory, kProcesses, kCpu };
inline constexpr std::size_t kControllers = 3;

// Where our groups go, by Controller; empty: nowhere, for the reason beside it.
struct GroupFolders {
  struct Place {
    std::filesystem::path folder{};
    bool unified = false;  // version 2
    std::string why{};     // "the controller memory is not there"
  };
  std::array<Place, kControllers> places;

  const Place& of(Controller controller) const { return places[static_cast<std::size_t>(controller)]; }
  bool has(Controller controller) const { return !of(controller).folder.empty(); }
};

// What the kernel says of us: /proc/self/cgroup, and which hierarchy is mounted where, /proc/self/mountinfo. Looks into
// the file system only for what version 2 hands on.
GroupFolders find_group_folders(std::string_view self_cgroup, std::string_view mountinfo);

// Prepares our own group (of version 2: moves this process into a group below it, since one that hands on controllers
// holds no process), and removes what earlier runs left. What cannot be is not there in what it returns; with kNone
// there is nothing.
GroupFolders prepare_groups(config::SandboxMode mode);

// Why hooks cannot be limited in memory and processes, as far as can be told before; empty: they can.
std::string why_no_groups();

// What the hooks of `config` are to be limited in and cannot be, for people.
std::vector<std::string> limits_missing(const config::Config& config, const GroupFolders& folders);

// The group of one process of a hook, as open files.
struct HookGroup {
  std::vector<sys::Fd> joins;  // who writes "0" to each is in it, whoever he is; empty: no controller is there
  sys::Fd memory_kills{};      // see keeper::memory_kills(); invalid: its memory is not limited
};

// One with the limits of `sandbox`. `name` is the hook's with its instance. Throws std::system_error.
HookGroup make_group(const GroupFolders& folders, std::string_view name, const config::Sandbox& sandbox);

}  // namespace hooksmtpd::launcher
