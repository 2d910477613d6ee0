// Landlock (landlock(7)): a process gives up what it may do with files and sockets beyond what it names. Domains pile
// up: a later one can only take away, and whatever the process starts is in it, too.
//
// What the kernel at hand does not know cannot be given up: network since ABI 4 (Linux 6.7), signals and abstract
// sockets since ABI 6 (6.12). Namespaces cover them where that is so.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hooksmtpd::sys {

// Rights to files and folders, to be joined by |.
enum class FileRights : std::uint32_t {
  kNone = 0,
  kRead = 1,     // files and listings
  kExecute = 2,  // programs
  kWrite = 4,    // into files that are there, truncating them
  kMake = 8,     // and remove, rename, link: files, folders, links, sockets, FIFOs
  kDevice = 16,  // ioctl(2) on devices
};
constexpr FileRights operator|(FileRights a, FileRights b) {
  return static_cast<FileRights>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(FileRights all, FileRights one) {
  return (static_cast<std::uint32_t>(all) & static_cast<std::uint32_t>(one)) != 0;
}

struct LandlockRules {
  struct Place {
    std::filesystem::path path{};  // a folder with all below it, or a file; must be there
    int place = -1;                // or the folder itself, open
    FileRights rights = FileRights::kNone;
  };
  std::vector<Place> places;  // whatever is not below one of them may not be touched; what is open stays open
  bool tcp = false;           // may bind and connect TCP sockets
  bool outside = false;       // may signal processes, and connect to abstract sockets, outside of the domain
};

// What the kernel knows; 0: it has no Landlock, or we may not use it.
int landlock_abi();

// Why this process cannot be restricted, for people; empty: it can. Needs ABI 2 (Linux 5.19): before that a link into
// another folder could not be allowed.
std::string landlock_missing();

// From now on, for this thread and whatever it starts. Needs no_new_privs. Throws std::system_error.
void restrict_self(const LandlockRules& rules);

}  // namespace hooksmtpd::sys
