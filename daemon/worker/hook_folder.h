// The folder of the messages that one hook, and no other, can read: each in a file of its own, which nobody can write.
//
// A new file costs the kernel twice what a new name for an old one does. So a file whose message is over is kept for a
// moment, under the name that the hook knew, and becomes the next message's: under that one's name, and only if nobody
// has it open any more. Whoever still reads has the message that he opened; whoever comes late finds none.

#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/sys/fd.h"

namespace hooksmtpd::worker {

// A file readable by whoever can enter the folder; nobody can open it to write, not even we again. The error is errno,
// and then there is none of that name that was not there before.
std::expected<sys::Fd, int> create_readable(const sys::Fd& folder, const std::string& name);

// Writes all of it; the error is errno.
std::expected<void, int> write_all(const sys::Fd& file, std::string_view octets);

class HookFolder {
 public:
  static constexpr std::size_t kMostOpen = 64;  // files, so many descriptors at most

  // A message that the hook can read.
  struct File {
    std::string name;
    sys::Fd fd{};          // invalid: the file will not be used again
    std::size_t size = 0;  // octets, of one that can
    bool swept = false;    // once, while it was kept
  };

  explicit HookFolder(sys::Fd folder) : folder_(std::move(folder)) {}
  HookFolder(const HookFolder&) = delete;
  HookFolder& operator=(const HookFolder&) = delete;
  ~HookFolder();

  // The errors are errno: EEXIST where somebody else's file has the name; ENOSPC and EDQUOT: the spool is full.
  std::expected<File, int> write(const std::string& name, std::string_view message);
  // The same from a file that is there, in another folder of the spool.
  std::expected<File, int> link(const sys::Fd& from, const std::string& path, std::string name);

  // The message is over. True: its file is kept until it has seen two sweeps.
  bool take_away(File file);

  // False: nothing is kept any more.
  bool sweep();

 private:
  bool use_again(File& file, const std::string& name, std::string_view message);
  void remove(File file);

  sys::Fd folder_;
  std::size_t open_ = 0;
  std::vector<File> kept_;  // the last one is the next to be used
};

}  // namespace hooksmtpd::worker
