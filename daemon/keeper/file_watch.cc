#include "daemon/keeper/file_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace hooksmtpd::keeper {
namespace {

// Written to its end, moved into place, made executable.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;

}  // namespace

FileWatch::FileWatch(const std::vector<std::string>& files) {
  if (files.empty()) return;
  inotify_ = sys::Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_.valid()) return;
  for (const std::string& file : files) {
    add(file);
    std::error_code none;
    const std::filesystem::path real = std::filesystem::canonical(file, none);
    if (!none && real != file) add(real);
  }
}

void FileWatch::add(const std::string& file) {
  const std::filesystem::path path(file);
  const int watch = ::inotify_add_watch(inotify_.get(), path.parent_path().c_str(), kEvents);
  if (watch >= 0) files_.emplace_back(watch, path.filename());
}

bool FileWatch::changed() {
  bool found = false;
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  while (true) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) return found;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      // The name is filled up with NULs.
      const std::string_view name = event.len == 0 ? std::string_view() : buffer.data() + at + sizeof event;
      found = found || (event.mask & IN_Q_OVERFLOW) != 0 || std::ranges::any_of(files_, [&](const auto& file) {
                return file.first == event.wd && file.second == name;
              });
      at += sizeof event + event.len;
    }
  }
}

}  // namespace hooksmtpd::keeper
