#include "daemon/worker/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

namespace hooksmtpd::worker {
namespace {

// Readable by whoever can enter the folder; nobody can write it, not even we again.
std::expected<sys::Fd, int> create(const sys::Fd& folder, const std::string& name) {
  sys::Fd file(openat(folder.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
  if (!file.valid()) return std::unexpected(errno);
  if (fchmod(file.get(), 0444) != 0) return std::unexpected(errno);  // whatever the umask
  return file;
}

std::vector<std::string> names_in(int parent, const std::string& folder) {
  std::vector<std::string> names;
  const int fd = openat(parent, folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(fd), closedir);
  if (!listing) return names;
  while (const dirent* const entry = readdir(listing.get())) {
    if (const std::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

}  // namespace

std::expected<void, int> write_all(const sys::Fd& file, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = write(file.get(), octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return std::unexpected(errno);
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Spool::Spool(sys::Fd folder, std::filesystem::path path, std::size_t most_open)
    : folder_(std::move(folder)), path_(std::move(path)), most_open_(most_open) {
  for (const std::string& hook : names_in(folder_.get(), ".")) {
    for (const std::string& left : names_in(folder_.get(), hook)) remove_from_hook(hook, left);
  }
}

std::expected<sys::Fd, int> Spool::create_incoming(const std::string& name) {
  if (open_ >= most_open_) return std::unexpected(ENOSPC);
  auto file = create(folder_, "incoming/" + name);
  if (file) ++open_;
  return file;
}

void Spool::remove_incoming(const std::string& name) {
  --open_;
  unlinkat(folder_.get(), ("incoming/" + name).c_str(), 0);
}

std::expected<void, int> Spool::link_to_hook(const std::string& hook, const std::string& name) const {
  const std::string from = "incoming/" + name;
  const std::string to = fmt::format("{}/{}", hook, name);
  if (linkat(folder_.get(), from.c_str(), folder_.get(), to.c_str(), 0) != 0) return std::unexpected(errno);
  return {};
}

std::expected<void, int> Spool::write_to_hook(const std::string& hook, const std::string& name,
                                              std::string_view message) const {
  const auto file = create(folder_, fmt::format("{}/{}", hook, name));
  if (!file) return std::unexpected(file.error());
  const auto written = write_all(*file, message);
  if (!written) remove_from_hook(hook, name);
  return written;
}

void Spool::remove_from_hook(const std::string& hook, const std::string& name) const {
  unlinkat(folder_.get(), fmt::format("{}/{}", hook, name).c_str(), 0);
}

std::string Spool::path_for_hook(const std::string& hook, const std::string& name) const {
  return fmt::format("{}/{}/{}", path_.native(), hook, name);
}

}  // namespace hooksmtpd::worker
