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

constexpr auto kSweep = std::chrono::milliseconds(10);

// Memory for messages that are to come: so much at most in each piece, in octets, and so many of them.
constexpr std::size_t kMostKept = 4096;
constexpr std::size_t kMostMemories = 64;

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

Spool::Spool(event_base* base, sys::Fd folder, std::filesystem::path path, std::size_t most_open)
    : folder_(std::move(folder)), path_(std::move(path)), most_open_(most_open), sweep_timer_(base, *this) {
  for (const std::string& hook : names_in(folder_.get(), ".")) {
    for (const std::string& left : names_in(folder_.get(), hook)) {
      unlinkat(folder_.get(), fmt::format("{}/{}", hook, left).c_str(), 0);
    }
  }
}

std::expected<sys::Fd, int> Spool::create_incoming(const std::string& name) {
  if (open_ >= most_open_) return std::unexpected(ENOSPC);
  auto file = create_readable(folder_, "incoming/" + name);
  if (file) ++open_;
  return file;
}

void Spool::remove_incoming(const std::string& name) {
  --open_;
  unlinkat(folder_.get(), ("incoming/" + name).c_str(), 0);
}

std::string Spool::take_memory() {
  if (memories_.empty()) return {};
  std::string memory = std::move(memories_.back());
  memories_.pop_back();
  return memory;
}

void Spool::keep_memory(std::string memory) {
  if (memory.capacity() <= std::string().capacity() || memory.capacity() > kMostKept) return;
  if (memories_.size() >= kMostMemories) return;
  memory.clear();
  memories_.push_back(std::move(memory));
}

std::expected<HookFolder*, int> Spool::folder_of(const std::string& hook) {
  if (const auto known = hooks_.find(hook); known != hooks_.end()) return &known->second;
  sys::Fd folder(openat(folder_.get(), hook.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid()) return std::unexpected(errno);
  return &hooks_.try_emplace(hook, std::move(folder)).first->second;
}

std::expected<HookFolder::File, int> Spool::link_to_hook(const std::string& hook, const std::string& name) {
  const auto folder = folder_of(hook);
  if (!folder) return std::unexpected(folder.error());
  return (*folder)->link(folder_, "incoming/" + name, name);
}

std::expected<HookFolder::File, int> Spool::write_to_hook(const std::string& hook, const std::string& name,
                                                          std::string_view message) {
  const auto folder = folder_of(hook);
  if (!folder) return std::unexpected(folder.error());
  return (*folder)->write(name, message);
}

void Spool::remove_from_hook(const std::string& hook, HookFolder::File file) {
  if (hooks_.at(hook).take_away(std::move(file))) sweep_timer_.set_at_latest(Clock::now() + kSweep);
}

void Spool::sweep() {
  bool again = false;
  for (auto& [hook, folder] : hooks_) again = folder.sweep() || again;
  if (again) sweep_timer_.set_at_latest(Clock::now() + kSweep);
}

std::string Spool::path_for_hook(std::string_view hook, std::string_view name) const {
  std::string path;
  path.reserve(path_.native().size() + hook.size() + name.size() + 2);
  return path.append(path_.native()).append(1, '/').append(hook).append(1, '/').append(name);
}

}  // namespace hooksmtpd::worker
