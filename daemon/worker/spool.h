// The folder of messages under way: one folder per hook, which that hook alone can enter, and `incoming`, which nobody
// but the worker can. Names below it are ours (transaction ids), never a client's.

#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/sys/fd.h"
#include "daemon/worker/event.h"
#include "daemon/worker/hook_folder.h"

namespace hooksmtpd::worker {

class Spool {
 public:
  // `folder` is open; `path` is its name, the same for the hooks. Removes what an earlier worker left: its clients were
  // never told 250. At most `most_open` incoming files are open at once; one more is ENOSPC.
  Spool(event_base* base, sys::Fd folder, std::filesystem::path path, std::size_t most_open);

  // All errors are errno: ENOSPC and EDQUOT mean that the spool is full.
  std::expected<sys::Fd, int> create_incoming(const std::string& name);
  void remove_incoming(const std::string& name);

  // Memory that a message which is over has left for the next one; of none: none. What is large is not kept.
  std::string take_memory();
  void keep_memory(std::string memory);

  // Puts a message where hook `hook` can read it: a link to the incoming file, or a file with these octets.
  std::expected<HookFolder::File, int> link_to_hook(const std::string& hook, const std::string& name);
  std::expected<HookFolder::File, int> write_to_hook(const std::string& hook, const std::string& name,
                                                     std::string_view message);
  // Takes it away again; within 20 ms its name is gone.
  void remove_from_hook(const std::string& hook, HookFolder::File file);

  // The name under which hook `hook` finds it.
  std::string path_for_hook(std::string_view hook, std::string_view name) const;

 private:
  std::expected<HookFolder*, int> folder_of(const std::string& hook);
  void sweep();

  sys::Fd folder_;
  std::filesystem::path path_;
  std::size_t most_open_;
  std::size_t open_ = 0;
  std::vector<std::string> memories_;  // empty strings
  std::map<std::string, HookFolder, std::less<>> hooks_;
  Timer<Spool, &Spool::sweep> sweep_timer_;
};

}  // namespace hooksmtpd::worker
