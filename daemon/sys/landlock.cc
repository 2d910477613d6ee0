#include "daemon/sys/landlock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::sys {
namespace {

constexpr int kFirstUsable = 2;

// The headers may be older than the kernel: what came with later ABIs, by its number in the kernel's documentation.
constexpr std::uint64_t kTruncate = 1ull << 14;     // ABI 3
constexpr std::uint64_t kDeviceIoctl = 1ull << 15;  // ABI 5
constexpr std::uint64_t kTcp = 0b11;                // ABI 4: bind, connect
constexpr std::uint64_t kScopes = 0b11;             // ABI 6: abstract sockets, signals

struct RulesetAttributes {
  std::uint64_t files, network, scopes;
};

struct RightsOfAbi {
  int abi;
  FileRights right;
  std::uint64_t on_files;    // what it means for a file,
  std::uint64_t on_folders;  // and beside that for a folder
};
constexpr std::array kRights{
    RightsOfAbi{1, FileRights::kRead, LANDLOCK_ACCESS_FS_READ_FILE, LANDLOCK_ACCESS_FS_READ_DIR},
    RightsOfAbi{1, FileRights::kExecute, LANDLOCK_ACCESS_FS_EXECUTE, 0},
    RightsOfAbi{1, FileRights::kWrite, LANDLOCK_ACCESS_FS_WRITE_FILE, 0},
    RightsOfAbi{1, FileRights::kMake, 0,
                LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM},
    RightsOfAbi{2, FileRights::kMake, 0, LANDLOCK_ACCESS_FS_REFER},
    RightsOfAbi{3, FileRights::kWrite, kTruncate, 0},
    RightsOfAbi{5, FileRights::kDevice, kDeviceIoctl, 0},
};

constexpr FileRights kAll =
    FileRights::kRead | FileRights::kExecute | FileRights::kWrite | FileRights::kMake | FileRights::kDevice;

std::uint64_t bits_of(FileRights rights, bool folder, int abi) {
  std::uint64_t bits = 0;
  for (const RightsOfAbi& row : kRights) {
    if (row.abi <= abi && has(rights, row.right)) bits |= row.on_files | (folder ? row.on_folders : 0);
  }
  return bits;
}

Fd make_ruleset(const LandlockRules& rules, int abi) {
  const RulesetAttributes all{.files = bits_of(kAll, true, abi),
                              .network = abi >= 4 && !rules.tcp ? kTcp : 0,
                              .scopes = abi >= 6 && !rules.outside ? kScopes : 0};
  // An older kernel takes a longer structure than it knows, as long as what it does not know is 0.
  return Fd(
      static_cast<int>(must(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0), "landlock_create_ruleset")));
}

void add(const Fd& ruleset, const LandlockRules::Place& place, int abi) {
  Fd opened;
  if (place.place < 0) opened.reset(must(::open(place.path.c_str(), O_PATH | O_CLOEXEC), place.path.string()));
  const int at = opened.valid() ? opened.get() : place.place;
  struct stat status{};
  must(::fstat(at, &status), place.path.string());
  const std::uint64_t bits = bits_of(place.rights, S_ISDIR(status.st_mode), abi);
  if (bits == 0) return;  // there is nothing to allow: the kernel takes no such rule
  const landlock_path_beneath_attr rule{.allowed_access = bits, .parent_fd = at};
  must(::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0),
       "landlock_add_rule " + place.path.string());
}

}  // namespace

int landlock_abi() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

std::string landlock_missing() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi >= kFirstUsable) return {};
  if (abi >= 0)
    return fmt::format("the kernel's Landlock has ABI {}, and {} is needed (Linux 5.19)", abi, kFirstUsable);
  switch (errno) {
    case ENOSYS:
      return "the kernel has no Landlock (CONFIG_SECURITY_LANDLOCK), or a container hides it";
    case EOPNOTSUPP:
      return "Landlock is switched off (lsm=… on the kernel's command line)";
    default:
      return fmt::format("landlock_create_ruleset: {}", errno_text(errno));
  }
}

void restrict_self(const LandlockRules& rules) {
  const int abi = landlock_abi();
  const Fd ruleset = make_ruleset(rules, abi);
  for (const LandlockRules::Place& place : rules.places) add(ruleset, place, abi);
  must(::syscall(SYS_landlock_restrict_self, ruleset.get(), 0), "landlock_restrict_self");
}

}  // namespace hooksmtpd::sys
