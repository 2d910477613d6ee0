#include "config/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace hooksmtpd::config {
namespace {

namespace fs = std::filesystem;

std::string message_of(int error) { return std::generic_category().message(error); }

// Closes what open() gave. (The daemon's own Fd is of a layer above.)
class OpenFile {
 public:
  explicit OpenFile(const fs::path& name, int flags = 0)
      : fd_(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags)) {}  // a FIFO must not block us
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class Reader {
 public:
  explicit Reader(std::vector<Problem>& problems) : problems_(problems) {}

  enum class Absent { kFine, kError };
  void read(const fs::path& name, Absent absent) {
    const OpenFile file(name);
    if (file.get() < 0 && errno == ENOENT && absent == Absent::kFine) return;
    if (file.get() < 0) return unreadable(name, errno);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return unreadable(name, errno);
    if (!S_ISREG(status.st_mode)) return wrong(name, "is not a file");
    if ((status.st_mode & S_IWOTH) != 0) {
      return wrong(name, fmt::format("every user can change it: chmod o-w {}", name.string()));
    }

    std::string text;
    char piece[16 * 1024];
    for (ssize_t got = 0; (got = ::read(file.get(), piece, sizeof piece)) != 0;) {
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return unreadable(name, errno);
      text.append(piece, static_cast<std::size_t>(got));
      if (text.size() > kLargestFile) return wrong(name, "is larger than 1 MiB: split it into files in conf.d");
    }
    if (owner_ == kNobody) owner_ = status.st_uid;
    files_.push_back({.name = name, .text = std::move(text)});
  }

  void read_folder(const fs::path& name) {
    const OpenFile folder(name, O_DIRECTORY);
    if (folder.get() < 0 && errno == ENOENT) return;
    if (folder.get() < 0) return unreadable(name, errno);
    struct stat status{};
    if (::fstat(folder.get(), &status) != 0) return unreadable(name, errno);
    if ((status.st_mode & S_IWOTH) != 0) {
      return wrong(name, fmt::format("every user can add files to it: chmod o-w {}", name.string()));
    }
    // For a main file in /tmp, somebody else's /tmp/conf.d must not count.
    if (status.st_uid != 0 && status.st_uid != ::geteuid() && status.st_uid != owner_) {
      return wrong(name, fmt::format("belongs to user {}, who owns nothing else here: chown root {}", status.st_uid,
                                     name.string()));
    }

    std::error_code error;
    std::vector<fs::path> names;
    for (fs::directory_iterator entry(name, error), end; !error && entry != end; entry.increment(error)) {
      const std::string file = entry->path().filename().string();
      if (file.ends_with(".toml") && !file.starts_with('.')) names.push_back(entry->path());
    }
    if (error) return unreadable(name, error.value());
    std::ranges::sort(names, {}, [](const fs::path& path) { return path.native(); });
    for (const fs::path& file : names) read(file, Absent::kError);
  }

  std::vector<FileText> take() { return std::move(files_); }

 private:
  static constexpr uid_t kNobody = static_cast<uid_t>(-1);

  void wrong(const fs::path& name, std::string text) {
    problems_.push_back({.severity = Severity::kError, .where = {.file = name.string()}, .text = std::move(text)});
  }
  void unreadable(const fs::path& name, int error) {
    std::string text = fmt::format("cannot be read: {}", message_of(error));
    if (error == EACCES) {
      // By number: a machine without our sysusers entry has no name for it.
      text += fmt::format(" (the daemon reads it as user {}: chgrp {} {} && chmod g+r {})", ::geteuid(), ::getegid(),
                          name.string(), name.string());
    }
    wrong(name, std::move(text));
  }

  std::vector<Problem>& problems_;
  std::vector<FileText> files_;
  uid_t owner_ = kNobody;  // of the main file
};

}  // namespace

std::vector<FileText> read_files(const Request& request, std::vector<Problem>& problems) {
  if (request.defaults_only) return {};
  const fs::path main = fs::absolute(request.file.value_or(kDefaultFile)).lexically_normal();
  Reader reader(problems);
  reader.read(main, request.file ? Reader::Absent::kError : Reader::Absent::kFine);
  reader.read_folder(main.parent_path() / "conf.d");
  return reader.take();
}

}  // namespace hooksmtpd::config
