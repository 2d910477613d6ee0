#include "daemon/passwd/entry_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>

#include "daemon/passwd/failure.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::passwd {

namespace {

constexpr mode_t kNewMode = 0640;
constexpr const char* kDaemonGroup = "hooksmtpd";

std::string read_all(int fd, const std::string& path) {
  std::string text;
  std::array<char, 4096> part;
  while (const auto length = sys::must(::read(fd, part.data(), part.size()), "read " + path)) {
    text.append(part.data(), static_cast<std::size_t>(length));
  }
  return text;
}

void write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    text.remove_prefix(static_cast<std::size_t>(sys::must(::write(fd, text.data(), text.size()), "write " + path)));
  }
}

// Has a name of its own until it takes another's; goes away if it never does.
struct Draft {
  int folder;
  std::string name;
  bool named = false;

  Draft(int in, std::string as) : folder(in), name(std::move(as)) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (!named) ::unlinkat(folder, name.c_str(), 0);
  }
};

}  // namespace

EntryFile::EntryFile(const std::filesystem::path& path) : path_(std::filesystem::weakly_canonical(path)) {
  if (!path_.has_filename()) throw Failure(EX_USAGE, fmt::format("{} is a folder, not a file", path_.string()));
  const std::string folder = path_.parent_path().string();
  folder_.reset(sys::must(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open " + folder));
  sys::must(::flock(folder_.get(), LOCK_EX), "lock " + folder);

  // Not blocking: a pipe would keep us waiting before we saw what it is.
  const sys::Fd file(::openat(folder_.get(), path_.filename().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid() && errno == ENOENT) return;
  sys::must(file.get(), "open " + path_.string());
  status_.emplace();
  sys::must(::fstat(file.get(), &*status_), "stat " + path_.string());
  if (!S_ISREG(status_->st_mode)) throw Failure(EX_USAGE, path_.string() + " is not a plain file");
  text_ = read_all(file.get(), path_.string());
}

void EntryFile::take_over_owner(int fd) {
  if (!status_) {
    const group* daemon = ::geteuid() == 0 ? ::getgrnam(kDaemonGroup) : nullptr;
    if (daemon) sys::must(::fchown(fd, static_cast<uid_t>(-1), daemon->gr_gid), "chown " + path_.string());
    return;
  }
  if (::fchown(fd, status_->st_uid, status_->st_gid) == 0) return;
  throw Failure(EX_NOPERM, fmt::format("{} belongs to user {} and group {}, and would not any more: run this as root",
                                       path_.string(), status_->st_uid, status_->st_gid));
}

void EntryFile::replace(std::string_view text) {
  const std::string name = path_.filename().string();
  Draft draft(folder_.get(), fmt::format(".{}.{}", name, ::getpid()));
  ::unlinkat(draft.folder, draft.name.c_str(), 0);  // of a process of our number that was killed: the lock is ours
  const std::string shown = (path_.parent_path() / draft.name).string();
  const sys::Fd file(
      sys::must(::openat(draft.folder, draft.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
                "create " + shown));
  take_over_owner(file.get());
  sys::must(::fchmod(file.get(), status_ ? status_->st_mode & 07777 : kNewMode), "chmod " + shown);
  write_all(file.get(), text, shown);
  sys::must(::fsync(file.get()), "fsync " + shown);
  sys::must(::renameat(draft.folder, draft.name.c_str(), draft.folder, name.c_str()),
            fmt::format("rename {} to {}", shown, name));
  draft.named = true;
  sys::must(::fsync(folder_.get()), "fsync " + path_.parent_path().string());
}

}  // namespace hooksmtpd::passwd
