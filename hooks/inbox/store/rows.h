// What the writer does to the tables: within a transaction of its caller.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hooks/inbox/store/database.h"
#include "hooks/inbox/store/query.h"
#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox {

// A message that has come.
struct NewMessage {
  std::string id;
  Time received{};
  std::string mailbox;
  Digest digest;
  Arrival arrival;
  std::vector<std::string> tags{};
  std::string_view octets{};            // all of it,
  std::shared_ptr<const void> owner{};  // whose these are
};

// What has changed, once it is on disk: for those who watch.
struct Change {
  enum class Kind : std::uint8_t { kMessage, kUpdate, kDelete, kSession };
  Kind kind;
  std::vector<std::string> ids;  // of messages, or of the session
  Summary message{};             // of kMessage
};

struct Totals {
  std::uint64_t messages = 0, octets = 0;
};

enum class Mark : std::uint8_t { kRead, kUnread, kDelete, kTag, kUntag };

class Rows {
 public:
  explicit Rows(const Database& database);

  void add(const NewMessage& message);
  void add(const Session& session);
  // A hook after us refused what we had accepted. True: it was there.
  bool take_back(std::string_view transaction);

  // Returns how many messages were changed. `tag`: of kTag and kUntag.
  std::size_t mark(std::span<const std::int64_t> sequences, Mark mark, std::string_view tag);
  // These tags and no others.
  std::size_t set_tags(std::span<const std::int64_t> sequences, std::span<const std::string> tags);
  // Those that have this tag get the other one for it; empty: none. At most `most` of them; returns how many.
  std::size_t rename_tag(std::string_view tag, std::string_view name, std::size_t most);
  std::vector<std::int64_t> find(std::span<const std::string> ids);
  // The first `most` that the query finds, from the sequence `after` on, oldest first.
  std::vector<std::int64_t> find(const Query& query, std::int64_t after, std::size_t most);

  // The oldest messages that are too many, too large together or too old, at most `most` of them, go; and the same for
  // sessions. They return how many have gone.
  struct Keep {
    std::uint64_t messages = 0, octets = 0;  // 0: any number
    std::int64_t not_before = 0;             // milliseconds
  };
  std::size_t prune(const Keep& keep, std::size_t most);
  std::size_t prune_sessions(const Keep& keep, std::size_t most);

  Totals totals() const { return totals_; }

  // What was counted and what has changed is kept until the transaction is over: flush() before its commit, and then
  // taken(); forget() after it was rolled back.
  void flush();
  std::vector<Change> take_changes();
  void forget();

 private:
  struct Counts {
    std::int64_t messages = 0, unread = 0, octets = 0;
  };
  std::int64_t mailbox_of(std::string_view name);
  bool remove(std::int64_t sequence, std::string& id);
  void read_totals();

  const Database& database_;
  Statement insert_message_, insert_raw_, insert_search_, insert_tag_, insert_session_;
  Statement row_, oldest_, delete_message_, delete_raw_, delete_search_, delete_tags_, delete_tag_, set_unread_, count_;
  std::map<std::string, std::int64_t, std::less<>> mailboxes_;
  std::map<std::int64_t, Counts> counted_;  // by mailbox, since the transaction began
  std::vector<Change> changes_;
  Totals totals_;
};

}  // namespace hooksmtpd::inbox
