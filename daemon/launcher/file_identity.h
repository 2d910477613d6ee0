// Touching files as somebody else: setfsuid(2) and setfsgid(2).
//
// The unit does not grant CAP_DAC_OVERRIDE or CAP_CHOWN: root is nobody special to the file system. What the
// configuration names is reached as the user whom it belongs to, and a new folder is given to its owner by making it as
// its owner. Every other right of the launcher, to mount above all, stays as it is meanwhile.

#pragma once

#include <sys/types.h>

#include <filesystem>

#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

// While it lives, files are touched as this user and group. Without CAP_SETUID (a plain user) it changes nothing.
class FileIdentity {
 public:
  FileIdentity(uid_t uid, gid_t gid);
  ~FileIdentity();
  FileIdentity(const FileIdentity&) = delete;
  FileIdentity& operator=(const FileIdentity&) = delete;

 private:
  // A change of identity makes a process as dumpable as fs.suid_dumpable says (prctl(2)): who was not is not after it.
  void stay_undumpable() const;

  uid_t uid_;  // as it was before
  gid_t gid_;
  bool dumpable_;
};

// Opens `path` (absolute) with O_PATH, symbolic links followed, one component after the other: where a folder may not
// be searched by us, it is searched as its owner. So a folder below a home of mode 0700 can be named in the
// configuration. Throws std::system_error.
sys::Fd open_path(const std::filesystem::path& path);

// The user as whom `path` can be read, or its deepest folder that exists: ourselves, or the owner of the folder that
// kept us out. For reading configuration files.
struct Owner {
  uid_t uid;
  gid_t gid;
};
Owner reader_of(const std::filesystem::path& path);

}  // namespace hooksmtpd::launcher
