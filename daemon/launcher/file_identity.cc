#include "daemon/launcher/file_identity.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <climits>
#include <deque>

#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel's own (path_resolution(7))
constexpr uid_t kAsk = static_cast<uid_t>(-1);

uid_t current_fsuid() { return static_cast<uid_t>(::setfsuid(kAsk)); }
gid_t current_fsgid() { return static_cast<gid_t>(::setfsgid(kAsk)); }

using Components = std::deque<std::string>;

void put_in_front(Components& components, const std::filesystem::path& path) {
  Components front;
  for (const auto& part : path.relative_path()) {
    if (!part.empty() && part != ".") front.push_back(part);
  }
  components.insert(components.begin(), front.begin(), front.end());
}

class Walk {
 public:
  Owner as{::geteuid(), ::getegid()};  // whom the last closed folder belonged to

  // -1 and errno where it ends early; then at() is the deepest folder that was reached.
  int to(const std::filesystem::path& path) {
    assert(path.is_absolute());
    at_ = sys::Fd(sys::must(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open /"));
    Components components;
    put_in_front(components, path);
    int links = 0;
    while (!components.empty()) {
      sys::Fd next = step(components.front().c_str());
      if (!next.valid()) return -1;
      components.pop_front();
      struct stat status{};
      if (::fstat(next.get(), &status) != 0) return -1;
      if (!S_ISLNK(status.st_mode)) {
        at_ = std::move(next);
        continue;
      }
      if (++links > kMaxLinks) return errno = ELOOP, -1;
      std::array<char, PATH_MAX> target;
      const ssize_t length = ::readlinkat(next.get(), "", target.data(), target.size());
      if (length < 0) return -1;
      const std::filesystem::path aim(std::string(target.data(), static_cast<std::size_t>(length)));
      if (aim.is_absolute()) at_ = sys::Fd(sys::must(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open /"));
      put_in_front(components, aim);
    }
    return 0;
  }

  sys::Fd& at() { return at_; }

 private:
  sys::Fd step(const char* name) {
    constexpr int kFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    sys::Fd next(::openat(at_.get(), name, kFlags));
    struct stat folder{};
    if (next.valid() || errno != EACCES || ::fstat(at_.get(), &folder) != 0) return next;
    const FileIdentity owner(folder.st_uid, folder.st_gid);
    as = {folder.st_uid, folder.st_gid};
    return sys::Fd(::openat(at_.get(), name, kFlags));
  }

  sys::Fd at_;
};

}  // namespace

FileIdentity::FileIdentity(uid_t uid, gid_t gid)
    : uid_(current_fsuid()), gid_(current_fsgid()), dumpable_(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) {
  ::setfsgid(gid);  // the group first: afterwards the right to change it may be gone
  ::setfsuid(uid);
  stay_undumpable();
  // These calls report nothing. A plain user stays himself, and the file system judges what he tries.
  assert(::geteuid() != 0 || (current_fsuid() == uid && current_fsgid() == gid));
}

FileIdentity::~FileIdentity() {
  ::setfsuid(uid_);
  ::setfsgid(gid_);
  stay_undumpable();
}

void FileIdentity::stay_undumpable() const {
  if (!dumpable_) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

sys::Fd open_path(const std::filesystem::path& path) {
  Walk walk;
  if (walk.to(path) != 0) sys::throw_errno(path.string());
  return std::move(walk.at());
}

Owner reader_of(const std::filesystem::path& path) {
  Walk walk;
  const bool there = walk.to(path) == 0;
  struct stat status{};
  if (there && ::faccessat(walk.at().get(), "", R_OK, AT_EMPTY_PATH | AT_EACCESS) != 0 && errno == EACCES &&
      ::fstat(walk.at().get(), &status) == 0) {
    return {status.st_uid, status.st_gid};
  }
  return walk.as;
}

}  // namespace hooksmtpd::launcher
