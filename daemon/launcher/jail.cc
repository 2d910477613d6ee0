#include "daemon/launcher/jail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/mounts.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {
namespace {

using sys::Fd;
using sys::must;
namespace fs = std::filesystem;

// Where the new root hangs until it is the root. Any folder will do that exists everywhere: what it holds has been
// opened before it is covered, and the cover is seen in this mount namespace only.
constexpr const char* kStage = "/run";

constexpr const char* kRootSize = "16m";  // folders, and small files such as the linker's cache
constexpr const char* kTemporarySize = "64m";
constexpr const char* kTemporaryFiles = "16k";

// A jail under construction.
struct Building {
  struct Source {
    const Jail::Bind* bind;
    Fd place;
    bool is_folder;
  };
  const Jail& jail;
  std::vector<Source> sources;  // parents before what is below them
  Fd root;
};

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::ranges::mismatch(folder, path).in1 == folder.end();
}

Fd open_below(const Fd& folder, const std::string& name, int flags, mode_t mode = 0) {
  return Fd(must(::openat(folder.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode), name));
}

// The folder `path` in the new root, made with all its parents where it is missing.
Fd make_folder(const Fd& root, const fs::path& path) {
  Fd at = open_below(root, ".", O_PATH | O_DIRECTORY);
  for (const fs::path& part : path.relative_path()) {
    if (part.empty()) continue;
    if (::mkdirat(at.get(), part.c_str(), 0755) != 0 && errno != EEXIST) sys::throw_errno("mkdir " + path.string());
    at = open_below(at, part, O_PATH | O_DIRECTORY);
  }
  return at;
}

// An empty file for something to be bound over.
Fd make_file(const Fd& root, const fs::path& path) {
  const Fd folder = make_folder(root, path.parent_path());
  return open_below(folder, path.filename(), O_RDONLY | O_CREAT, 0444);
}

// ---- the steps ------------------------------------------------------------------------------------------------------

void open_sources(Building& building) {
  for (const Jail::Bind& bind : building.jail.binds) {
    Fd place = open_path(bind.path);
    struct stat status{};
    must(::fstat(place.get(), &status), bind.path.string());
    building.sources.push_back({&bind, std::move(place), S_ISDIR(status.st_mode)});
  }
  // Of two views of one folder the writable one comes last, and on top.
  std::ranges::sort(building.sources, {},
                    [](const auto& source) { return std::pair(source.bind->path, source.bind->access); });
}

void mount_root(Building& building) {
  const Fd mount = new_mount("tmpfs", {{"mode", "0755"}, {"size", kRootSize}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  const Fd stage(must(::open(kStage, O_PATH | O_DIRECTORY | O_CLOEXEC), kStage));
  attach(mount, stage);
  building.root = Fd(must(::open(kStage, O_PATH | O_DIRECTORY | O_CLOEXEC), kStage));
}

void mount_temporary_folder(Building& building) {
  if (!building.jail.temporary_folder) return;
  attach(new_mount("tmpfs", {{"mode", "1777"}, {"size", kTemporarySize}, {"nr_inodes", kTemporaryFiles}},
                   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV),
         make_folder(building.root, "/tmp"));
}

void bind_sources(Building& building) {
  const Building::Source* cover = nullptr;
  for (const Building::Source& source : building.sources) {
    const Jail::Bind& bind = *source.bind;
    if (cover != nullptr && cover->bind->access == bind.access && is_below(bind.path, cover->bind->path)) continue;
    std::uint64_t attributes = MOUNT_ATTR_NOSUID;
    attributes |= bind.access == Jail::Access::kDevice ? MOUNT_ATTR_NOEXEC : MOUNT_ATTR_NODEV;
    if (bind.access != Jail::Access::kReadWrite) attributes |= MOUNT_ATTR_RDONLY;
    const Depth depth = bind.mounts_below ? Depth::kMountsBelowToo : Depth::kThisMount;
    try {
      attach(bind_mount(source.place, depth, attributes),
             source.is_folder ? make_folder(building.root, bind.path) : make_file(building.root, bind.path));
    } catch (const std::system_error& error) {
      throw StartError(EX_OSERR, fmt::format("{}: {}", bind.path.string(), error.what()));
    }
    if (bind.access == Jail::Access::kRead && bind.mounts_below) cover = &source;
  }
}

void write_files(Building& building) {
  for (const Jail::File& file : building.jail.files) {
    const Fd folder = make_folder(building.root, file.path.parent_path());
    const Fd out = open_below(folder, file.path.filename(), O_WRONLY | O_CREAT | O_EXCL, 0444);
    const ssize_t written = must(::write(out.get(), file.text.data(), file.text.size()), file.path.string());
    if (static_cast<std::size_t>(written) != file.text.size()) sys::throw_errno(file.path.string(), ENOSPC);
  }
}

void make_links(Building& building) {
  for (const Jail::Link& link : building.jail.links) {
    const Fd folder = make_folder(building.root, link.path.parent_path());
    must(::symlinkat(link.target.c_str(), folder.get(), link.path.filename().c_str()), link.path.string());
  }
}

void mount_processes(Building& building) {
  if (!building.jail.processes) return;
  attach(new_mount("proc", {{"hidepid", "invisible"}, {"subset", "pid"}},
                   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC),
         make_folder(building.root, "/proc"));
}

// pivot_root(2), "pivot_root(".", ".")": no folder for the old root is needed in the new one.
void make_it_the_root(Building& building) {
  must(::fchdir(building.root.get()), "fchdir");
  must(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(::umount2(".", MNT_DETACH), "umount the old root");
  must(::chdir("/"), "chdir /");
}

void make_it_read_only(Building& building) {
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
  must(::mount_setattr(building.root.get(), "", AT_EMPTY_PATH, &change, sizeof change), "mount_setattr /");
}

struct Step {
  const char* name;
  void (*take)(Building& building);
};

constexpr std::array kSteps{
    Step{"open what it shows", open_sources},
    Step{"mount an empty root", mount_root},
    Step{"mount its /tmp", mount_temporary_folder},  // before the binds: some may lie below /tmp
    Step{"bind what it shows", bind_sources},
    Step{"write its files", write_files},
    Step{"make its links", make_links},
    Step{"mount its /proc", mount_processes},
    Step{"make it the root", make_it_the_root},
    Step{"make it read-only", make_it_read_only},
};

}  // namespace

void enter(const Jail& jail) {
  Building building{.jail = jail, .sources = {}, .root = Fd()};
  for (const Step& step : kSteps) {
    try {
      step.take(building);
    } catch (const std::exception& error) {
      throw StartError(EX_OSERR, fmt::format("jail: {}: {}", step.name, error.what()));
    }
  }
}

}  // namespace hooksmtpd::launcher
