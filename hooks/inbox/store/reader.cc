#include "hooks/inbox/store/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "hooks/inbox/store/columns.h"

namespace hooksmtpd::inbox {
namespace {

// As summary() reads them.
constexpr std::string_view kSummary =
    "m.sequence, m.id, m.received, (SELECT name FROM mailboxes b WHERE b.mailbox = m.mailbox), m.unread, m.size, "
    "m.attachments, m.flags, m.subject, m.snippet, m.message_id, m.addresses, m.arrival, m.date, m.session, "
    "m.message_transaction";
constexpr std::string_view kSession = "sequence, id, began, ended, outcome, facts";

Time to_time(std::int64_t milliseconds) { return Time(std::chrono::milliseconds(milliseconds)); }

// The rows that a query finds: a statement's text behind its columns, and its parameters.
struct Search {
  Query query;
  std::string_view mailbox;

  std::string sql(std::string_view range) const {
    std::string text = query.match.empty()
                           ? " FROM messages m WHERE "
                           : " FROM search s CROSS JOIN messages m ON m.sequence = s.rowid WHERE search MATCH ? AND ";
    text += fmt::format(fmt::runtime(range), query.match.empty() ? "m.sequence" : "s.rowid");
    if (!mailbox.empty()) text += " AND m.mailbox = (SELECT mailbox FROM mailboxes WHERE name = ?)";
    for (const auto& condition : query.conditions) text += fmt::format(" AND ({})", condition.sql);
    return text;
  }

  // Returns the next free parameter.
  int bind(Statement& statement, std::int64_t limit_of_range) const {
    int parameter = 1;
    if (!query.match.empty()) statement.bind(parameter++, std::string_view(query.match));
    statement.bind(parameter++, limit_of_range);
    if (!mailbox.empty()) statement.bind(parameter++, mailbox);
    for (const auto& condition : query.conditions) {
      if (const auto* number = std::get_if<std::int64_t>(&condition.value)) statement.bind(parameter++, *number);
      if (const auto* text = std::get_if<std::string>(&condition.value)) {
        statement.bind(parameter++, std::string_view(*text));
      }
    }
    return parameter;
  }

  std::string_view row() const { return query.match.empty() ? "m.sequence" : "s.rowid"; }
};

}  // namespace

Summary Reader::summary(const Statement& row) const {
  const AllAddresses addresses = addresses_from_column(row.text(11));
  const std::int64_t flags = row.number(7);
  Summary summary{.id = std::string(row.text(1)),
                  .sequence = row.number(0),
                  .received = to_time(row.number(2)),
                  .mailbox = std::string(row.text(3)),
                  .from = addresses.from,
                  .to = addresses.to,
                  .cc = addresses.cc,
                  .subject = std::string(row.text(8)),
                  .snippet = std::string(row.text(9)),
                  .size = static_cast<std::uint64_t>(row.number(5)),
                  .attachments = static_cast<std::uint32_t>(row.number(6)),
                  .unread = row.number(4) != 0,
                  .injected = (flags & kFlagInjected) != 0,
                  .tls = (flags & kFlagTls) != 0,
                  .user = arrival_from_column(row.text(12)).user,
                  .broken = (flags & kFlagBroken) != 0,
                  .message_id = std::string(row.text(10))};
  Statement tags(database_, "SELECT tag FROM tags WHERE sequence = ? ORDER BY tag");
  tags.bind(1, summary.sequence);
  while (tags.step()) summary.tags.emplace_back(tags.text(0));
  return summary;
}

Page Reader::list(const Wanted& wanted, Time now) const {
  const Search search{.query = parse_query(wanted.query, now), .mailbox = wanted.mailbox};
  Page page;
  const std::string sql =
      fmt::format("SELECT {}{} ORDER BY {} DESC LIMIT ? OFFSET ?", kSummary, search.sql("{} < ?"), search.row());
  Statement found(database_, sql);
  const int parameter = search.bind(found, wanted.before != 0 ? wanted.before : INT64_MAX);
  found.bind(parameter, static_cast<std::int64_t>(wanted.limit) + 1)
      .bind(parameter + 1, static_cast<std::int64_t>(wanted.skip));
  bool to_the_end = true;
  while (found.step()) {
    if (page.messages.size() == wanted.limit) {
      if (wanted.limit > 0) page.next = page.messages.back().sequence;
      to_the_end = false;
      break;
    }
    page.messages.push_back(summary(found));
  }
  for (const Mailbox& mailbox : mailboxes()) {
    if (!wanted.mailbox.empty() && mailbox.name != wanted.mailbox) continue;
    page.unread += mailbox.unread;
    if (search.query.empty()) page.total += mailbox.messages;
  }
  if (search.query.empty()) return page;
  if (to_the_end && wanted.before == 0 && wanted.skip == 0 && page.messages.size() <= kMostCounted) {
    page.total = page.messages.size();  // all of them are on the page: no second search
    return page;
  }
  Statement count(database_,
                  fmt::format("SELECT count(*) FROM (SELECT 1{} LIMIT {})", search.sql("{} < ?"), kMostCounted + 1));
  search.bind(count, INT64_MAX);
  count.step();
  page.total = std::min(static_cast<std::uint64_t>(count.number(0)), kMostCounted);
  page.more_than_that = static_cast<std::uint64_t>(count.number(0)) > kMostCounted;
  return page;
}

std::vector<Summary> Reader::arrived(std::string_view query, std::int64_t since, std::size_t limit, Time now) const {
  const Search search{.query = parse_query(query, now), .mailbox = {}};
  Statement found(database_,
                  fmt::format("SELECT {}{} ORDER BY {} LIMIT ?", kSummary, search.sql("{} > ?"), search.row()));
  const int parameter = search.bind(found, since);
  found.bind(parameter, static_cast<std::int64_t>(limit));
  std::vector<Summary> messages;
  while (found.step()) messages.push_back(summary(found));
  return messages;
}

std::int64_t Reader::newest() const {
  return database_.number("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0)");
}

std::optional<Message> Reader::message(std::string_view id) const {
  const bool latest = id == "latest";
  Statement found(database_, fmt::format("SELECT {} FROM messages m {}", kSummary,
                                         latest ? "ORDER BY m.sequence DESC LIMIT 1" : "WHERE m.id = ?"));
  if (!latest) found.bind(1, id);
  if (!found.step()) return std::nullopt;
  Message message{
      .summary = summary(found), .bcc = {}, .reply_to = {}, .date = {}, .arrival = arrival_from_column(found.text(12))};
  AllAddresses addresses = addresses_from_column(found.text(11));
  message.bcc = std::move(addresses.bcc);
  message.reply_to = std::move(addresses.reply_to);
  if (!found.is_null(13)) message.date = to_time(found.number(13));
  message.arrival.session = found.text(14);
  message.arrival.transaction = found.text(15);
  message.arrival.tls = message.summary.tls;
  return message;
}

bool Reader::raw(std::string_view id, const std::function<void(std::string_view)>& take) const {
  const bool latest = id == "latest";
  Statement found(database_,
                  latest ? "SELECT octets FROM raw ORDER BY sequence DESC LIMIT 1"
                         : "SELECT octets FROM raw WHERE sequence = (SELECT sequence FROM messages WHERE id = ?)");
  if (!latest) found.bind(1, id);
  if (!found.step()) return false;
  take(found.blob(0));
  return true;
}

Session Reader::session(const Statement& row) const {
  Session session;
  session.sequence = row.number(0);
  session.id = row.text(1);
  session.began = to_time(row.number(2));
  session.ended = to_time(row.number(3));
  session.outcome = static_cast<Outcome>(row.number(4));
  from_column(row.text(5), session);
  Statement messages(database_, "SELECT id FROM messages WHERE session = ? ORDER BY sequence");
  messages.bind(1, std::string_view(session.id));
  while (messages.step()) session.messages.emplace_back(messages.text(0));
  return session;
}

Reader::Sessions Reader::sessions(bool attempts, std::int64_t before, std::size_t limit) const {
  Statement found(database_, fmt::format("SELECT {} FROM sessions WHERE sequence < ?{} ORDER BY sequence DESC LIMIT ?",
                                         kSession, attempts ? " AND outcome <> 0" : ""));
  found.bind(1, before != 0 ? before : INT64_MAX).bind(2, static_cast<std::int64_t>(limit) + 1);
  Sessions page;
  while (found.step()) {
    if (page.sessions.size() == limit) {
      if (limit > 0) page.next = page.sessions.back().sequence;
      break;
    }
    page.sessions.push_back(session(found));
  }
  return page;
}

std::optional<Session> Reader::session(std::string_view id) const {
  Statement found(database_, fmt::format("SELECT {}, dialogue FROM sessions WHERE id = ?", kSession));
  found.bind(1, id);
  if (!found.step()) return std::nullopt;
  Session one = session(found);
  one.dialogue = found.text(6);
  return one;
}

std::uint64_t Reader::attempts() const {
  return static_cast<std::uint64_t>(database_.number("SELECT count(*) FROM sessions WHERE outcome IN (1, 2, 3)"));
}

std::vector<Mailbox> Reader::mailboxes() const {
  Statement rows(database_, "SELECT name, messages, unread FROM mailboxes ORDER BY mailbox");
  std::vector<Mailbox> mailboxes;
  while (rows.step()) {
    mailboxes.push_back({.name = std::string(rows.text(0)),
                         .messages = static_cast<std::uint64_t>(rows.number(1)),
                         .unread = static_cast<std::uint64_t>(rows.number(2))});
  }
  return mailboxes;
}

std::vector<Tag> Reader::tags() const {
  Statement rows(database_, "SELECT tag, count(*) FROM tags GROUP BY tag ORDER BY tag");
  std::vector<Tag> tags;
  while (rows.step())
    tags.push_back({.name = std::string(rows.text(0)), .messages = static_cast<std::uint64_t>(rows.number(1))});
  return tags;
}

std::uint64_t Reader::octets() const {
  return static_cast<std::uint64_t>(database_.number("SELECT coalesce(sum(octets), 0) FROM mailboxes"));
}

std::uint64_t Reader::messages() const {
  return static_cast<std::uint64_t>(database_.number("SELECT coalesce(sum(messages), 0) FROM mailboxes"));
}

std::uint64_t Reader::unread(std::string_view mailbox) const {
  std::uint64_t unread = 0;
  for (const Mailbox& each : mailboxes()) unread += mailbox.empty() || each.name == mailbox ? each.unread : 0;
  return unread;
}

}  // namespace hooksmtpd::inbox
