// What is stored, for those who look at it. It sees what was committed when each call began.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hooks/inbox/store/database.h"
#include "hooks/inbox/store/query.h"
#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox {

// Newest first.
struct Page {
  std::vector<Summary> messages;
  std::uint64_t total = 0;  // that the query finds, counted up to kMostCounted,
  bool more_than_that = false;
  std::uint64_t unread = 0;  // of the mailbox, or of all
  std::int64_t next = 0;     // where the next page begins; 0: there is none
};
inline constexpr std::uint64_t kMostCounted = 10'000;

struct Wanted {
  std::string_view query{};
  std::string_view mailbox{};  // empty: all
  std::int64_t before = 0;     // only those with a smaller sequence; 0: all
  std::size_t limit = 50;
  std::uint64_t skip = 0;  // so many of them first
};

class Reader {
 public:
  explicit Reader(Database database) : database_(std::move(database)) {}

  Page list(const Wanted& wanted, Time now) const;
  // The oldest that came after the sequence `since` and that the query finds.
  std::vector<Summary> arrived(std::string_view query, std::int64_t since, std::size_t limit, Time now) const;
  std::int64_t newest() const;  // its sequence; 0: nothing has ever come

  // By id; "latest" is the one that came last.
  std::optional<Message> message(std::string_view id) const;
  // Calls `take` with all octets of it, which are good as long as the call lasts. False: there is no such message.
  bool raw(std::string_view id, const std::function<void(std::string_view)>& take) const;

  struct Sessions {
    std::vector<Session> sessions;  // newest first, without their dialogues
    std::int64_t next = 0;
  };
  // `attempts`: those only that brought no message, or had one refused.
  Sessions sessions(bool attempts, std::int64_t before, std::size_t limit) const;
  std::optional<Session> session(std::string_view id) const;
  std::uint64_t attempts() const;

  std::vector<Mailbox> mailboxes() const;
  std::vector<Tag> tags() const;
  std::uint64_t octets() const;  // of all messages
  std::uint64_t messages() const;
  std::uint64_t unread(std::string_view mailbox) const;

 private:
  Summary summary(const Statement& row) const;
  Session session(const Statement& row) const;

  Database database_;
};

}  // namespace hooksmtpd::inbox
