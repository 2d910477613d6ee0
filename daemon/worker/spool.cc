#include "daemon/worker/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace hooksmtpd::worker {
namespace {

// Readable by whoever can enter the folder; nobody can write it, not even we again.
std::expected<sys::Fd, int> create(const sys::Fd& folder, const std::string& name) {
  sys::Fd file(openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444));
  if (!file.valid()) return std::unexpected(errno);
  if (fchmod(file.get(), 0444) != 0) return std::unexpected(errno);  // whatever the umask
  return file;
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

Spool::Spool(sys::Fd folder, std::filesystem::path path) : folder_(std::move(folder)), path_(std::move(path)) {}

std::expected<sys::Fd, int> Spool::create_incoming(const std::string& name) const {
  return create(folder_, "incoming/" + name);
}

void Spool::remove_incoming(const std::string& name) const { unlinkat(folder_.get(), ("incoming/" + name).c_str(), 0); }

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
