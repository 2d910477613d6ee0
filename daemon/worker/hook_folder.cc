#include "daemon/worker/hook_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace hooksmtpd::worker {
namespace {

// The kernel gives a write lease to nobody while somebody else has the file open, or mapped (fcntl(2)).
bool open_elsewhere(const sys::Fd& file) {
  if (fcntl(file.get(), F_SETLEASE, F_WRLCK) != 0) return true;
  fcntl(file.get(), F_SETLEASE, F_UNLCK);
  return false;
}

// In one call, or not at all: a message that is kept in memory is small.
bool write_over(const sys::Fd& file, std::string_view message) {
  return pwrite(file.get(), message.data(), message.size(), 0) == static_cast<ssize_t>(message.size());
}

}  // namespace

std::expected<sys::Fd, int> create_readable(const sys::Fd& folder, const std::string& name) {
  sys::Fd file(openat(folder.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
  if (!file.valid()) return std::unexpected(errno);
  if (fchmod(file.get(), 0444) != 0) {  // whatever the umask
    const int error = errno;
    unlinkat(folder.get(), name.c_str(), 0);
    return std::unexpected(error);
  }
  return file;
}

std::expected<void, int> write_all(const sys::Fd& file, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(file.get(), octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(errno);
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

HookFolder::~HookFolder() {
  for (File& file : kept_) remove(std::move(file));
}

std::expected<HookFolder::File, int> HookFolder::write(const std::string& name, std::string_view message) {
  while (!kept_.empty()) {
    File file = std::move(kept_.back());
    kept_.pop_back();
    if (use_again(file, name, message)) return file;
  }
  auto created = create_readable(folder_, name);
  if (!created) return std::unexpected(created.error());
  File file{.name = name, .size = message.size()};
  if (const auto written = write_all(*created, message); !written) {
    remove(std::move(file));
    return std::unexpected(written.error());
  }
  if (open_ < kMostOpen) {
    ++open_;
    file.fd = *std::move(created);
  }
  return file;
}

// First the name that the hook knew goes, then it is seen whether somebody still has the file: in this order nobody can
// open it in between, since the new name has not been told yet and the folder cannot be listed.
bool HookFolder::use_again(File& file, const std::string& name, std::string_view message) {
  const bool renamed = renameat2(folder_.get(), file.name.c_str(), folder_.get(), name.c_str(), RENAME_NOREPLACE) == 0;
  if (renamed) file.name = name;
  const bool ours = renamed && !open_elsewhere(file.fd) && write_over(file.fd, message) &&
                    (file.size <= message.size() || ftruncate(file.fd.get(), static_cast<off_t>(message.size())) == 0);
  if (!ours) {
    remove(std::move(file));
    return false;
  }
  file.size = message.size();
  file.swept = false;
  return true;
}

std::expected<HookFolder::File, int> HookFolder::link(const sys::Fd& from, const std::string& path, std::string name) {
  if (linkat(from.get(), path.c_str(), folder_.get(), name.c_str(), 0) != 0) return std::unexpected(errno);
  return File{.name = std::move(name)};
}

bool HookFolder::take_away(File file) {
  if (!file.fd.valid()) {
    remove(std::move(file));
    return false;
  }
  kept_.push_back(std::move(file));
  return true;
}

bool HookFolder::sweep() {
  std::vector<File> left;
  for (File& file : std::exchange(kept_, {})) {
    if (std::exchange(file.swept, true)) {
      remove(std::move(file));
    } else {
      left.push_back(std::move(file));
    }
  }
  kept_ = std::move(left);
  return !kept_.empty();
}

void HookFolder::remove(File file) {
  if (file.fd.valid()) --open_;
  unlinkat(folder_.get(), file.name.c_str(), 0);
}

}  // namespace hooksmtpd::worker
