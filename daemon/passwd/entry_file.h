// A password file that is changed as a whole or not at all, by one program at a time.

#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"

namespace hooksmtpd::passwd {

class EntryFile {
 public:
  // Locks the file's folder while this lives, and reads the file if it is there. Symbolic links are followed. Throws
  // Failure for what is no plain file, std::system_error for what cannot be read.
  explicit EntryFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  bool exists() const { return status_.has_value(); }
  const std::string& text() const { return text_; }

  // Others than owner and group may read it.
  bool open_to_all() const { return status_ && (status_->st_mode & S_IRWXO) != 0; }

  // Writes a file beside it, and gives it the name once it is on the disk. Owner, group and mode stay. A new file has
  // mode 0640, and if root makes it, the group that the daemon reads its configuration as. Throws.
  void replace(std::string_view text);

 private:
  void take_over_owner(int fd);

  std::filesystem::path path_;
  sys::Fd folder_;
  std::optional<struct stat> status_;  // of the file that was there
  std::string text_;
};

}  // namespace hooksmtpd::passwd
