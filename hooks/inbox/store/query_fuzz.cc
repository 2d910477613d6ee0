// Whatever somebody types into the search field is a search: SQLite takes what it becomes, and the three that run it
// (the list, who waits for mail, and what is marked by a query) find the same messages.

#include <stdlib.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hooks/inbox/store/reader.h"
#include "hooks/inbox/store/rows.h"
#include "hooks/inbox/store/schema.h"

using namespace hooksmtpd::inbox;

namespace {

constexpr Time kNow{std::chrono::milliseconds(1'795'000'000'000)};  // in November 2026
constexpr std::size_t kMost = 1000;

// On a file system in memory, for the life of the process.
class Folder {
 public:
  Folder() {
    const char* const made = mkdtemp(path_.data());
    assert(made != nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/dev/shm/query-fuzz-XXXXXX";
};

// A few messages that differ in what can be searched for.
class Mail {
 public:
  Mail() : written_(open_to_write(folder_.path(), said_)), rows_(written_), reader_(open_to_read(folder_.path())) {
    Transaction transaction(written_);
    for (const std::string_view subject :
         {"hello", "quick brown fox", "Gr\u00fc\u00dfe", "AND OR NOT NEAR", "\"'*:^()"}) {
      NewMessage message{
          .id = std::to_string(++count_), .received = kNow, .mailbox = "inbox", .digest = {}, .arrival = {}};
      message.digest.from = Address{.name = "Ann", .address = "ann@example.test"};
      message.digest.subject = subject;
      message.digest.text = subject;
      message.digest.attachments = count_ % 2;
      if (count_ % 2 == 0) message.tags = {"red", "Two Words"};
      message.octets = subject;
      rows_.add(message);
    }
    rows_.flush();
    transaction.commit();
  }

  std::vector<std::int64_t> listed(std::string_view query) const {
    return sequences(reader_.list({.query = query, .limit = kMost}, kNow).messages);
  }
  std::vector<std::int64_t> arrived(std::string_view query) const {
    return sequences(reader_.arrived(query, 0, kMost, kNow));
  }
  std::vector<std::int64_t> found(std::string_view query) { return rows_.find(parse_query(query, kNow), 0, kMost); }
  std::uint64_t total(std::string_view query) const { return reader_.list({.query = query, .limit = 1}, kNow).total; }

 private:
  // Oldest first.
  static std::vector<std::int64_t> sequences(const std::vector<Summary>& messages) {
    std::vector<std::int64_t> sequences;
    for (const Summary& each : messages) sequences.push_back(each.sequence);
    std::ranges::sort(sequences);
    return sequences;
  }

  Folder folder_;
  std::string said_;
  std::uint32_t count_ = 0;
  Database written_;
  Rows rows_;
  Reader reader_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Mail mail;
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  const auto listed = mail.listed(query);
  assert(listed == mail.arrived(query));
  assert(listed == mail.found(query));
  assert(listed.size() == mail.total(query));
  return 0;
}
