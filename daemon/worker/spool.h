// The folder of messages under way: one folder per hook, which that hook alone can enter, and `incoming`, which nobody
// but the worker can. Names below it are ours (transaction ids), never a client's.

#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"

namespace hooksmtpd::worker {

class Spool {
 public:
  // `folder` is open; `path` is its name, the same for the hooks. Removes what an earlier worker left: its clients were
  // never told 250. At most `most_open` incoming files are open at once; one more is ENOSPC.
  Spool(sys::Fd folder, std::filesystem::path path, std::size_t most_open);

  // All errors are errno: ENOSPC and EDQUOT mean that the spool is full.
  std::expected<sys::Fd, int> create_incoming(const std::string& name);
  void remove_incoming(const std::string& name);

  // Puts a message where hook `hook` can read it: a link to the incoming file, or a new file with these octets.
  std::expected<void, int> link_to_hook(const std::string& hook, const std::string& name) const;
  std::expected<void, int> write_to_hook(const std::string& hook, const std::string& name,
                                         std::string_view message) const;
  void remove_from_hook(const std::string& hook, const std::string& name) const;

  // The name under which hook `hook` finds it.
  std::string path_for_hook(const std::string& hook, const std::string& name) const;

 private:
  sys::Fd folder_;
  std::filesystem::path path_;
  std::size_t most_open_;
  std::size_t open_ = 0;
};

// Writes all of it; the error is errno.
std::expected<void, int> write_all(const sys::Fd& file, std::string_view octets);

}  // namespace hooksmtpd::worker
