// Whether files have been written or replaced, as inotify(7) tells it of the folders that hold them: a save by rename
// goes unseen by whoever watches the file itself.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/sys/fd.h"

namespace hooksmtpd::keeper {

class FileWatch {
 public:
  // Absolute names. Every link on the way to a file is watched as well, of folders too: one that is made to lead
  // somewhere else is a change, and what it leads to then is watched from there on. What cannot be watched is not.
  explicit FileWatch(std::vector<std::string> files);

  // Readable when something happened; -1: there is nothing to watch.
  int descriptor() const { return inotify_.valid() ? inotify_.get() : -1; }

  // Takes in what happened. True: a file was written, replaced, or made executable.
  bool changed();

 private:
  struct Entry {
    int folder;  // its watch
    std::filesystem::path path;
  };

  void watch_all();
  void follow(const std::filesystem::path& file, std::vector<Entry>& entries) const;
  void add(const std::filesystem::path& path, std::vector<Entry>& entries) const;

  sys::Fd inotify_;
  std::vector<std::string> files_;
  std::vector<Entry> entries_{};  // whose change is one
};

}  // namespace hooksmtpd::keeper
