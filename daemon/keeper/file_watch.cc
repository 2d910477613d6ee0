#include "daemon/keeper/file_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <string_view>
#include <system_error>
#include <utility>

namespace hooksmtpd::keeper {
namespace {

namespace fs = std::filesystem;

// Written to its end, moved into place, made executable; and made, which of a link is all that ever happens.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_CREATE | IN_ONLYDIR;
constexpr int kMaxLinks = 40;  // as the kernel's own (path_resolution(7))

bool is_link(const fs::path& path) {
  std::error_code none;
  return fs::is_symlink(fs::symlink_status(path, none));
}

}  // namespace

FileWatch::FileWatch(std::vector<std::string> files) : files_(std::move(files)) {
  if (files_.empty()) return;
  inotify_ = sys::Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (inotify_.valid()) watch_all();
}

// The new watches before the old ones are given up, so that nothing is missed in between.
void FileWatch::watch_all() {
  std::vector<Entry> entries;
  for (const std::string& file : files_) follow(file, entries);
  for (const Entry& old : std::exchange(entries_, std::move(entries))) {
    if (std::ranges::find(entries_, old.folder, &Entry::folder) == entries_.end()) {
      ::inotify_rm_watch(inotify_.get(), old.folder);
    }
  }
}

void FileWatch::follow(const fs::path& file, std::vector<Entry>& entries) const {
  const fs::path below_root = file.relative_path();
  std::deque<fs::path> ahead(below_root.begin(), below_root.end());
  fs::path folder = "/";  // without a link in it
  int links = 0;
  while (!ahead.empty()) {
    const fs::path path = (folder / std::exchange(ahead.front(), {})).lexically_normal();
    ahead.pop_front();
    std::error_code no_link;
    const fs::path target = fs::read_symlink(path, no_link);
    if (!no_link) {
      add(path, entries);
      if (++links > kMaxLinks) return;
      if (target.is_absolute()) folder = "/";
      const fs::path relative = target.relative_path();
      ahead.insert(ahead.begin(), relative.begin(), relative.end());
    } else if (ahead.empty()) {
      add(path, entries);
    } else {
      folder = path;
    }
  }
}

void FileWatch::add(const fs::path& path, std::vector<Entry>& entries) const {
  const int watch = ::inotify_add_watch(inotify_.get(), path.parent_path().c_str(), kEvents);
  if (watch >= 0) entries.push_back({.folder = watch, .path = path});
}

bool FileWatch::changed() {
  bool found = false;
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  while (true) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      // The name is filled up with NULs.
      const std::string_view name = event.len == 0 ? std::string_view() : buffer.data() + at + sizeof event;
      const int folder = event.wd;  // a struct whose end is open is nothing that clang puts into a lambda
      const bool made = (event.mask & IN_CREATE) != 0;  // a file has yet to be written
      found = found || (event.mask & IN_Q_OVERFLOW) != 0 || std::ranges::any_of(entries_, [&](const Entry& entry) {
                return entry.folder == folder && entry.path.filename() == name && (!made || is_link(entry.path));
              });
      at += sizeof event + event.len;
    }
  }
  if (found) watch_all();
  return found;
}

}  // namespace hooksmtpd::keeper
