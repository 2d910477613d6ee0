// Whether files have been written or replaced, as inotify(7) tells it of the folders that hold them: a save by rename
// goes unseen by whoever watches the file itself.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/sys/fd.h"

namespace hooksmtpd::keeper {

class FileWatch {
 public:
  // Absolute names. Behind a link, the file that it leads to is watched as well. What cannot be watched is not.
  explicit FileWatch(const std::vector<std::string>& files);

  // Readable when something happened; -1: there is nothing to watch.
  int descriptor() const { return inotify_.valid() ? inotify_.get() : -1; }

  // Takes in what happened. True: a file was written, replaced, or made executable.
  bool changed();

 private:
  void add(const std::string& file);

  sys::Fd inotify_;
  std::vector<std::pair<int, std::string>> files_;  // the folder's watch, and the name in it
};

}  // namespace hooksmtpd::keeper
