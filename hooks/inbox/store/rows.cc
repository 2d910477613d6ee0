#include "hooks/inbox/store/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hooks/inbox/store/columns.h"

namespace hooksmtpd::inbox {
namespace {

constexpr std::uint64_t kMostSessions = 100'000;

std::int64_t flags_of(const NewMessage& message) {
  std::int64_t flags = 0;
  if (message.arrival.tls) flags |= kFlagTls;
  if (message.arrival.session.empty()) flags |= kFlagInjected;
  if (message.digest.broken) flags |= kFlagBroken;
  if (message.digest.html) flags |= kFlagHtml;
  return flags;
}

// The words of a field of addresses, beside the envelope's, which people search as well.
std::string words_of(const Addresses& addresses, std::span<const std::string> envelope = {}) {
  std::string words;
  for (const Address& address : addresses) words.append(address.name).append(" ").append(address.address).append("\n");
  for (const std::string& address : envelope) words.append(address).append("\n");
  return words;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text.append(line).append("\n");
  return text;
}

Summary summary_of(const NewMessage& message, std::int64_t sequence) {
  return {.id = message.id,
          .sequence = sequence,
          .received = message.received,
          .mailbox = message.mailbox,
          .from = message.digest.from,
          .to = message.digest.to,
          .cc = message.digest.cc,
          .subject = message.digest.subject,
          .snippet = message.digest.snippet,
          .size = message.octets.size(),
          .attachments = message.digest.attachments,
          .unread = true,
          .tags = message.tags,
          .injected = message.arrival.session.empty(),
          .tls = message.arrival.tls,
          .user = message.arrival.user,
          .broken = message.digest.broken,
          .message_id = message.digest.message_id};
}

}  // namespace

Rows::Rows(const Database& database)
    : database_(database),
      insert_message_(
          database,
          "INSERT INTO messages (id, mailbox, received, size, attachments, flags, subject, snippet, message_id, "
          "date, addresses, session, message_transaction, arrival) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      insert_raw_(database, "INSERT INTO raw (sequence, octets) VALUES (?,?)"),
      insert_search_(database,
                     "INSERT INTO search (rowid, subject, sender, recipient, cc, body, files) VALUES (?,?,?,?,?,?,?)"),
      insert_tag_(database, "INSERT OR IGNORE INTO tags (tag, sequence) VALUES (?,?)"),
      insert_session_(
          database,
          "INSERT OR REPLACE INTO sessions (id, began, ended, outcome, facts, dialogue) VALUES (?,?,?,?,?,?)"),
      row_(database, "SELECT id, mailbox, unread, size FROM messages WHERE sequence = ?"),
      oldest_(database, "SELECT sequence, received, size FROM messages ORDER BY sequence LIMIT ?"),
      delete_message_(database, "DELETE FROM messages WHERE sequence = ?"),
      delete_raw_(database, "DELETE FROM raw WHERE sequence = ?"),
      delete_search_(database, "DELETE FROM search WHERE rowid = ?"),
      delete_tags_(database, "DELETE FROM tags WHERE sequence = ?"),
      delete_tag_(database, "DELETE FROM tags WHERE tag = ? AND sequence = ?"),
      set_unread_(database, "UPDATE messages SET unread = ? WHERE sequence = ?"),
      count_(
          database,
          "UPDATE mailboxes SET messages = messages + ?, unread = unread + ?, octets = octets + ? WHERE mailbox = ?") {
  read_totals();
}

void Rows::read_totals() {
  Statement sums(database_, "SELECT coalesce(sum(messages), 0), coalesce(sum(octets), 0) FROM mailboxes");
  sums.step();
  totals_ = {.messages = static_cast<std::uint64_t>(sums.number(0)),
             .octets = static_cast<std::uint64_t>(sums.number(1))};
}

std::int64_t Rows::mailbox_of(std::string_view name) {
  if (const auto known = mailboxes_.find(name); known != mailboxes_.end()) return known->second;
  Statement(database_, "INSERT OR IGNORE INTO mailboxes (name) VALUES (?)").bind(1, name).run();
  Statement found(database_, "SELECT mailbox FROM mailboxes WHERE name = ?");
  found.bind(1, name).step();
  return mailboxes_.emplace(name, found.number(0)).first->second;
}

void Rows::add(const NewMessage& message) {
  const Digest& digest = message.digest;
  const std::int64_t mailbox = mailbox_of(message.mailbox);
  const std::string addresses = to_column(AllAddresses{
      .from = digest.from, .to = digest.to, .cc = digest.cc, .bcc = digest.bcc, .reply_to = digest.reply_to});
  const std::string arrival = to_column(message.arrival);
  insert_message_.bind(1, std::string_view(message.id))
      .bind(2, mailbox)
      .bind(3, message.received.time_since_epoch().count())
      .bind(4, static_cast<std::int64_t>(message.octets.size()))
      .bind(5, std::int64_t{digest.attachments})
      .bind(6, flags_of(message))
      .bind(7, std::string_view(digest.subject))
      .bind(8, std::string_view(digest.snippet))
      .bind(9, std::string_view(digest.message_id));
  if (digest.date) {
    insert_message_.bind(10, digest.date->time_since_epoch().count());
  } else {
    insert_message_.bind_null(10);
  }
  insert_message_.bind(11, std::string_view(addresses))
      .bind(12, std::string_view(message.arrival.session))
      .bind(13, std::string_view(message.arrival.transaction))
      .bind(14, std::string_view(arrival))
      .run();
  const std::int64_t sequence = database_.last_row();
  insert_raw_.bind(1, sequence).bind_blob(2, message.octets).run();
  std::string sender = digest.from ? digest.from->name + " " + digest.from->address : "";
  sender.append("\n").append(message.arrival.from);
  const std::string to = words_of(digest.to, message.arrival.to), cc = words_of(digest.cc),
                    files = joined(digest.files);
  insert_search_.bind(1, sequence)
      .bind(2, std::string_view(digest.subject))
      .bind(3, std::string_view(sender))
      .bind(4, std::string_view(to))
      .bind(5, std::string_view(cc))
      .bind(6, std::string_view(digest.text))
      .bind(7, std::string_view(files))
      .run();
  for (const std::string& tag : message.tags) insert_tag_.bind(1, std::string_view(tag)).bind(2, sequence).run();
  Counts& counts = counted_[mailbox];
  ++counts.messages;
  ++counts.unread;
  counts.octets += static_cast<std::int64_t>(message.octets.size());
  changes_.push_back({.kind = Change::Kind::kMessage, .ids = {message.id}, .message = summary_of(message, sequence)});
}

void Rows::add(const Session& session) {
  const std::string facts = to_column(session);
  insert_session_.bind(1, std::string_view(session.id))
      .bind(2, session.began.time_since_epoch().count())
      .bind(3, session.ended.time_since_epoch().count())
      .bind(4, static_cast<std::int64_t>(session.outcome))
      .bind(5, std::string_view(facts))
      .bind(6, std::string_view(session.dialogue))
      .run();
  changes_.push_back({.kind = Change::Kind::kSession, .ids = {session.id}});
}

bool Rows::take_back(std::string_view transaction) {
  const std::string_view session = transaction.substr(0, transaction.rfind('-'));
  Statement found(database_, "SELECT sequence FROM messages WHERE session = ? AND message_transaction = ?");
  found.bind(1, session).bind(2, transaction);
  std::vector<std::int64_t> sequences;
  while (found.step()) sequences.push_back(found.number(0));
  return mark(sequences, Mark::kDelete, {}) > 0;
}

bool Rows::remove(std::int64_t sequence, std::string& id) {
  row_.bind(1, sequence);
  const bool there = row_.step();
  if (there) {
    id = row_.text(0);
    Counts& counts = counted_[row_.number(1)];
    --counts.messages;
    counts.unread -= row_.number(2);
    counts.octets -= row_.number(3);
  }
  row_.reset();
  if (!there) return false;
  for (Statement* each : {&delete_message_, &delete_raw_, &delete_search_, &delete_tags_})
    each->bind(1, sequence).run();
  return true;
}

std::size_t Rows::mark(std::span<const std::int64_t> sequences, Mark mark, std::string_view tag) {
  std::vector<std::string> ids;
  for (const std::int64_t sequence : sequences) {
    if (mark == Mark::kDelete) {
      if (std::string id; remove(sequence, id)) ids.push_back(std::move(id));
      continue;
    }
    row_.bind(1, sequence);
    if (!row_.step()) {
      row_.reset();
      continue;
    }
    ids.emplace_back(row_.text(0));
    const std::int64_t mailbox = row_.number(1);
    const bool unread = row_.number(2) != 0;
    row_.reset();
    if (mark == Mark::kTag) {
      insert_tag_.bind(1, tag).bind(2, sequence).run();
    } else if (mark == Mark::kUntag) {
      delete_tag_.bind(1, tag).bind(2, sequence).run();
    } else if (unread != (mark == Mark::kUnread)) {
      set_unread_.bind(1, std::int64_t{mark == Mark::kUnread}).bind(2, sequence).run();
      counted_[mailbox].unread += mark == Mark::kUnread ? 1 : -1;
    }
  }
  const std::size_t count = ids.size();
  const auto kind = mark == Mark::kDelete ? Change::Kind::kDelete : Change::Kind::kUpdate;
  if (count > 0) changes_.push_back({.kind = kind, .ids = std::move(ids)});
  return count;
}

std::size_t Rows::set_tags(std::span<const std::int64_t> sequences, std::span<const std::string> tags) {
  std::vector<std::string> ids;
  for (const std::int64_t sequence : sequences) {
    row_.bind(1, sequence);
    if (row_.step()) ids.emplace_back(row_.text(0));
    row_.reset();
    delete_tags_.bind(1, sequence).run();
    for (const std::string& tag : tags) insert_tag_.bind(1, std::string_view(tag)).bind(2, sequence).run();
  }
  const std::size_t count = ids.size();
  if (count > 0) changes_.push_back({.kind = Change::Kind::kUpdate, .ids = std::move(ids)});
  return count;
}

std::size_t Rows::rename_tag(std::string_view tag, std::string_view name, std::size_t most) {
  Statement found(database_, "SELECT sequence FROM tags WHERE tag = ? LIMIT ?");
  found.bind(1, tag).bind(2, static_cast<std::int64_t>(most));
  std::vector<std::int64_t> sequences;
  while (found.step()) sequences.push_back(found.number(0));
  if (!name.empty()) mark(sequences, Mark::kTag, name);
  return mark(sequences, Mark::kUntag, tag);
}

std::vector<std::int64_t> Rows::find(std::span<const std::string> ids) {
  std::vector<std::int64_t> sequences;
  Statement found(database_, "SELECT sequence FROM messages WHERE id = ?");
  for (const std::string& id : ids) {
    found.bind(1, std::string_view(id));
    if (found.step()) sequences.push_back(found.number(0));
    found.reset();
  }
  return sequences;
}

std::vector<std::int64_t> Rows::find(const Query& query, std::int64_t after, std::size_t most) {
  std::string sql =
      query.match.empty()
          ? "SELECT m.sequence FROM messages m WHERE m.sequence > ?"
          : "SELECT m.sequence FROM search s CROSS JOIN messages m ON m.sequence = s.rowid WHERE search MATCH ? "
            "AND s.rowid > ?";
  for (const auto& condition : query.conditions) sql += fmt::format(" AND ({})", condition.sql);
  sql += query.match.empty() ? " ORDER BY m.sequence LIMIT ?" : " ORDER BY s.rowid LIMIT ?";
  Statement found(database_, sql);
  int parameter = 1;
  if (!query.match.empty()) found.bind(parameter++, std::string_view(query.match));
  found.bind(parameter++, after);
  for (const auto& condition : query.conditions) {
    if (const auto* number = std::get_if<std::int64_t>(&condition.value)) found.bind(parameter++, *number);
    if (const auto* text = std::get_if<std::string>(&condition.value)) found.bind(parameter++, std::string_view(*text));
  }
  found.bind(parameter, static_cast<std::int64_t>(most));
  std::vector<std::int64_t> sequences;
  while (found.step()) sequences.push_back(found.number(0));
  return sequences;
}

std::size_t Rows::prune(const Keep& keep, std::size_t most) {
  std::int64_t messages = static_cast<std::int64_t>(totals_.messages),
               octets = static_cast<std::int64_t>(totals_.octets);
  for (const auto& [mailbox, counts] : counted_) {
    messages += counts.messages;
    octets += counts.octets;
  }
  const auto over = [&] {
    return (keep.messages != 0 && messages > static_cast<std::int64_t>(keep.messages)) ||
           (keep.octets != 0 && octets > static_cast<std::int64_t>(keep.octets));
  };
  if (keep.not_before == 0 && !over()) return 0;
  oldest_.bind(1, static_cast<std::int64_t>(most));
  std::vector<std::int64_t> going;
  while (oldest_.step() && (over() || oldest_.number(1) < keep.not_before)) {
    going.push_back(oldest_.number(0));
    --messages;
    octets -= oldest_.number(2);
  }
  oldest_.reset();
  return mark(going, Mark::kDelete, {});
}

std::size_t Rows::prune_sessions(const Keep& keep, std::size_t most) {
  Statement(database_,
            "DELETE FROM sessions WHERE sequence IN (SELECT sequence FROM sessions WHERE ended < ?1 OR sequence <= "
            "(SELECT max(sequence) FROM sessions) - ?2 ORDER BY sequence LIMIT ?3)")
      .bind(1, keep.not_before)
      .bind(2, static_cast<std::int64_t>(keep.messages != 0 ? keep.messages : kMostSessions))
      .bind(3, static_cast<std::int64_t>(most))
      .run();
  return static_cast<std::size_t>(database_.changes());
}

void Rows::flush() {
  for (const auto& [mailbox, counts] : std::exchange(counted_, {})) {
    count_.bind(1, counts.messages).bind(2, counts.unread).bind(3, counts.octets).bind(4, mailbox).run();
    totals_.messages += static_cast<std::uint64_t>(counts.messages);
    totals_.octets += static_cast<std::uint64_t>(counts.octets);
  }
}

std::vector<Change> Rows::take_changes() { return std::exchange(changes_, {}); }

void Rows::forget() {
  counted_.clear();
  changes_.clear();
  mailboxes_.clear();
  read_totals();
}

}  // namespace hooksmtpd::inbox
