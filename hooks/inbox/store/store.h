// The inbox's memory: what writes, what reads, and who is told of changes. All of it is the main thread's.

#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <string>

#include "hooks/inbox/store/reader.h"
#include "hooks/inbox/store/writer.h"

namespace hooksmtpd::inbox {

// 128 random bits in hexadecimal.
std::string new_id();

class Store {
 public:
  using Done = std::function<void(const std::optional<WriteFailure>&)>;
  using Watcher = std::function<void(const Change&)>;
  using Watching = std::list<Watcher>::iterator;

  // `folder` is there. `wake` is called in another thread: then poll() has something to do. Throws DatabaseError.
  Store(const std::filesystem::path& folder, const Retention& retention, std::function<void()> wake);

  const Reader& reader() const { return reader_; }
  // What was set aside at the start; empty: nothing.
  const std::string& said() const { return said_; }

  void add(NewMessage message, Done done);
  void add(Session session, Done done);
  void take_back(std::string transaction, Done done);

  // Of these messages, or of all that a query finds now. `changed` gets how many there were, or what went wrong.
  using Changed = std::function<void(std::size_t count, const std::optional<WriteFailure>& failure)>;
  void mark(std::vector<std::string> ids, Mark mark, std::string tag, Changed changed);
  void mark_found(std::string query, Mark mark, std::string tag, Changed changed);

  // These tags and no others; of messages that are there.
  void set_tags(std::vector<std::string> ids, std::vector<std::string> tags, Changed changed);

  // All that have the tag `tag` get `name` for it, another one; empty: none.
  void rename_tag(std::string tag, std::string name, Changed changed);

  // Tells whoever waits what has been written.
  void poll();
  // `watcher` is told of every change once it is on disk, until unwatch(). It may unwatch itself.
  Watching watch(Watcher watcher) { return watchers_.insert(watchers_.end(), std::move(watcher)); }
  void unwatch(Watching watching) { watchers_.erase(watching); }

 private:
  std::string said_;
  Writer writer_;
  Reader reader_;
  std::list<Watcher> watchers_;
};

}  // namespace hooksmtpd::inbox
