// A root directory that holds what one process needs, and nothing else: a tmpfs with read-only binds, made the root by
// pivot_root(2) and read-only itself in the end. Every file and folder has the name in it that it has outside.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hooksmtpd::launcher {

// What the process will see.
struct Jail {
  enum class Access : std::uint8_t { kRead, kReadWrite, kDevice };

  // A folder or a file, bound under its own name. One below another that is read is covered by it.
  struct Bind {
    std::filesystem::path path;
    Access access = Access::kRead;
    bool mounts_below = true;  // what is mounted below it comes along
  };
  struct File {
    std::filesystem::path path;
    std::string text;
  };
  struct Link {
    std::filesystem::path path;
    std::filesystem::path target;
  };

  std::vector<Bind> binds;
  std::vector<File> files;
  std::vector<Link> links;
  bool temporary_folder = false;  // /tmp, of its own
  bool processes = false;         // /proc, of its own pid namespace: own processes only
};

// Moves the calling process into the jail. It must be alone in a private mount namespace. Throws a StartError that
// names the step and the object. Needs CAP_SYS_ADMIN.
void enter(const Jail& jail);

}  // namespace hooksmtpd::launcher
