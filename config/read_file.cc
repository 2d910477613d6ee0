#include "config/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hooksmtpd::config {
namespace {

// Closes what open() gave. (The daemon's own Fd is of a layer above.)
class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& name)
      : fd_(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}  // a FIFO must not block us
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string unreadable(const std::filesystem::path& name, int error) {
  std::string text = fmt::format("cannot be read: {}", std::generic_category().message(error));
  if (error == EACCES) {
    // By number: a machine without our sysusers entry has no name for it.
    text += fmt::format(" (the daemon reads it as user {}: chgrp {} {} && chmod g+r {})", ::geteuid(), ::getegid(),
                        name.string(), name.string());
  }
  return text;
}

std::expected<FileContent, FileError> read_file(const std::filesystem::path& name) {
  const auto failed = [&](int error) { return std::unexpected(FileError{error, unreadable(name, error)}); };
  const OpenFile file(name);
  if (file.get() < 0) return failed(errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failed(errno);
  if (!S_ISREG(status.st_mode)) return std::unexpected(FileError{EINVAL, "is not a file"});
  if ((status.st_mode & S_IWOTH) != 0) {
    return std::unexpected(FileError{EPERM, fmt::format("every user can change it: chmod o-w {}", name.string())});
  }

  WipedString text(kLargestFile + 1, '\0');  // read in place: no copy on the stack
  std::size_t size = 0;
  for (ssize_t got = 0; (got = ::read(file.get(), text.data() + size, text.size() - size)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno);
    size += static_cast<std::size_t>(got);
  }
  if (size > kLargestFile) return std::unexpected(FileError{EFBIG, "is larger than 1 MiB"});
  text.resize(size);
  text.shrink_to_fit();
  return FileContent{.text = std::move(text), .owner = status.st_uid, .mode = status.st_mode};
}

}  // namespace hooksmtpd::config
