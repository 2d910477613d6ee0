#include "hooks/inbox/store/schema.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <chrono>

namespace hooksmtpd::inbox {
namespace {

namespace fs = std::filesystem;

// Each takes the schema one version on: PRAGMA user_version says how many have been applied. What was published is
// never changed, only followed by the next one.
//
// `messages` has what lists show and nothing large: their octets are in `raw`, by the same sequence. `search` has the
// words, decoded, of what is searched. `mailboxes` counts, so that nobody has to count rows.
constexpr std::array kMigrations{R"(
CREATE TABLE mailboxes (
  mailbox INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  messages INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  octets INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE messages (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  mailbox INTEGER NOT NULL REFERENCES mailboxes,
  received INTEGER NOT NULL,
  unread INTEGER NOT NULL DEFAULT 1,
  size INTEGER NOT NULL,
  attachments INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  subject TEXT NOT NULL,
  snippet TEXT NOT NULL,
  message_id TEXT NOT NULL,
  date INTEGER,
  addresses TEXT NOT NULL,
  session TEXT NOT NULL,
  message_transaction TEXT NOT NULL,
  arrival TEXT NOT NULL
);
CREATE INDEX messages_of_session ON messages (session);
CREATE INDEX messages_unread ON messages (mailbox, sequence) WHERE unread;
CREATE TABLE raw (
  sequence INTEGER PRIMARY KEY,
  octets BLOB NOT NULL
);
CREATE TABLE tags (
  tag TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (tag, sequence)
) WITHOUT ROWID;
CREATE INDEX tags_of_message ON tags (sequence);
CREATE TABLE sessions (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  began INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  facts TEXT NOT NULL,
  dialogue TEXT NOT NULL
);
CREATE INDEX sessions_by_outcome ON sessions (outcome, sequence);
CREATE VIRTUAL TABLE search USING fts5 (
  subject, sender, recipient, cc, body, files,
  columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);
)"};

constexpr const char* kName = "inbox.db";

// Page size and vacuuming can be chosen for an empty file only.
void prepare(const Database& database) {
  database.run(
      "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; "
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; "
      "PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY; "
      "PRAGMA secure_delete = OFF");
}

void migrate(const Database& database) {
  const auto version = database.number("PRAGMA user_version");
  if (version > static_cast<std::int64_t>(kMigrations.size())) {
    throw DatabaseError(SQLITE_ERROR, fmt::format("{} was written by a newer hooksmtpd (schema {}, this one knows {}): "
                                                  "start that one, or move the file away",
                                                  kName, version, kMigrations.size()));
  }
  for (auto next = static_cast<std::size_t>(version); next < kMigrations.size(); ++next) {
    Transaction transaction(database);
    database.run(kMigrations[next]);
    database.run(fmt::format("PRAGMA user_version = {}", next + 1).c_str());
    transaction.commit();
  }
}

// Its structure, not each of its cells: that would take as long as reading all mail.
void check(const Database& database) {
  database.number("SELECT count(*) FROM sqlite_schema");
  Statement newest(database,
                   "SELECT m.sequence, length(r.octets) FROM messages m LEFT JOIN raw r USING (sequence) ORDER BY "
                   "m.sequence DESC LIMIT 100");
  while (newest.step()) {
  }
}

Database try_to_open(const fs::path& file) {
  Database database(file, Database::Mode::kWrite);
  prepare(database);
  migrate(database);
  check(database);
  return database;
}

std::string set_aside(const fs::path& file) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::string suffix = fmt::format(".corrupt-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
  for (const char* part : {"", "-wal", "-shm"}) {
    std::error_code missing;
    fs::rename(file.native() + part, file.native() + suffix + part, missing);
  }
  return file.filename().native() + suffix;
}

}  // namespace

Database open_to_write(const fs::path& folder, std::string& said) {
  const fs::path file = folder / kName;
  try {
    return try_to_open(file);
  } catch (const DatabaseError& error) {
    if (!error.corrupt()) throw;
    said = fmt::format(
        "{} is corrupt ({}): it is set aside as {}, with all mail in it, and a new one is begun. sqlite3's "
        ".recover may read it",
        kName, error.what(), set_aside(file));
  }
  return try_to_open(file);
}

Database open_to_read(const fs::path& folder) {
  Database database(folder / kName, Database::Mode::kRead);
  database.run("PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON");
  return database;
}

}  // namespace hooksmtpd::inbox
