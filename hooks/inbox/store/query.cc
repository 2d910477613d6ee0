#include "hooks/inbox/store/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace hooksmtpd::inbox {
namespace {

using Condition = Query::Condition;

constexpr std::size_t kMaxTerms = 50;  // what comes after them is not looked at

struct Term {
  bool negated = false;
  std::string key;  // lower case; empty: none
  std::string text;
  bool quoted = false;
};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_key_character(char c) { return is_letter(c) || c == '-'; }

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// What stands in quotes, up to the end of `text` if they are not closed.
void take_quoted(std::string_view& text, std::string& out) {
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return;
    if (c == '\\' && !text.empty() && (text.front() == '"' || text.front() == '\\')) {
      c = text.front();
      text.remove_prefix(1);
    }
    out += c;
  }
}

// Takes one term off the front, which is not blank.
Term take_term(std::string_view& text) {
  Term term;
  if (text.size() > 1 && text.front() == '-' && !is_blank(text[1])) {
    term.negated = true;
    text.remove_prefix(1);
  }
  const auto key_end = static_cast<std::size_t>(std::ranges::find_if_not(text, is_key_character) - text.begin());
  if (key_end > 0 && key_end + 1 < text.size() && text[key_end] == ':' && !is_blank(text[key_end + 1])) {
    term.key = lower_case(text.substr(0, key_end));
    text.remove_prefix(key_end + 1);
  }
  if (text.starts_with('"')) {
    term.quoted = true;
    text.remove_prefix(1);
    take_quoted(text, term.text);
  } else {
    const auto end = static_cast<std::size_t>(std::ranges::find_if(text, is_blank) - text.begin());
    term.text = text.substr(0, end);
    text.remove_prefix(end);
  }
  return term;
}

// There is something in it that the search knows: a letter or a digit, of whatever script.
bool has_word(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return (c >= '0' && c <= '9') || is_letter(c) || static_cast<unsigned char>(c) >= 0x80; });
}

// A phrase of FTS5 (SQLite's fts5 documentation, "Full-text Query Syntax"): in its quotes nothing has a meaning.
std::string phrase(const Term& term, std::string_view column) {
  std::string out = column.empty() ? "" : fmt::format("{} : ", column);
  out += '"';
  for (const char c : term.text) {
    if (c == '\0') {
      out += ' ';
      continue;
    }
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
  if (!term.quoted) out += " *";
  return out;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> octets(std::string_view text) {
  std::int64_t unit = 1;
  if (!text.empty()) {
    const std::size_t which = std::string_view("kmg").find(static_cast<char>(text.back() | 0x20));
    if (which != std::string_view::npos) {
      unit = std::int64_t{1} << (10 * (which + 1));
      text.remove_suffix(1);
    }
  }
  const auto value = number(text);
  if (!value || *value > (std::int64_t{1} << 40)) return std::nullopt;
  return *value * unit;
}

// "2026-11-23", "2026/11/23", "2026-11-23T17:20", "…:11", with or without Z: UTC. Or "3d": so long before now.
std::optional<std::int64_t> time(std::string_view text, Time now) {
  constexpr std::array<std::pair<char, std::int64_t>, 4> kUnits{
      {{'m', 60'000}, {'h', 3'600'000}, {'d', 86'400'000}, {'w', 604'800'000}}};
  for (const auto& [unit, milliseconds] : kUnits) {
    if (text.size() < 2 || (text.back() | 0x20) != unit) continue;
    const auto count = number(text.substr(0, text.size() - 1));
    if (!count || *count > 100'000) return std::nullopt;
    return now.time_since_epoch().count() - *count * milliseconds;
  }
  if (text.ends_with('Z')) text.remove_suffix(1);
  std::array<std::int64_t, 6> fields{0, 0, 0, 0, 0, 0};
  constexpr std::array<std::size_t, 6> kWidths{4, 2, 2, 2, 2, 2};
  std::size_t count = 0;
  for (; count < fields.size() && !text.empty(); ++count) {
    if (count > 0) text.remove_prefix(1);
    const auto value = number(text.substr(0, kWidths[count]));
    if (!value || text.size() < kWidths[count]) return std::nullopt;
    fields[count] = *value;
    text.remove_prefix(kWidths[count]);
    if (!text.empty() && std::string_view("-/T: ").find(text.front()) == std::string_view::npos) return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(fields[0])),
                                         std::chrono::month(static_cast<unsigned>(fields[1])),
                                         std::chrono::day(static_cast<unsigned>(fields[2]))};
  if (!text.empty() || count < 3 || !date.ok() || fields[3] > 23 || fields[4] > 59 || fields[5] > 60)
    return std::nullopt;
  const Time midnight = std::chrono::sys_days(date);
  return midnight.time_since_epoch().count() + ((fields[3] * 60 + fields[4]) * 60 + fields[5]) * 1000;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kColumns{{{"from", "sender"},
                                                                                 {"to", "recipient"},
                                                                                 {"cc", "cc"},
                                                                                 {"subject", "subject"},
                                                                                 {"files", "files"},
                                                                                 {"filename", "files"},
                                                                                 {"body", "body"}}};

constexpr const char* kHasTag = "EXISTS (SELECT 1 FROM tags t WHERE t.sequence = m.sequence)";

// What stands behind `is:` and `has:`. The bits are those of row_flags.h.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kStates{{{"is:unread", "m.unread"},
                                                                                 {"is:read", "NOT m.unread"},
                                                                                 {"is:tagged", kHasTag},
                                                                                 {"is:tls", "m.flags & 1"},
                                                                                 {"is:injected", "m.flags & 2"},
                                                                                 {"is:broken", "m.flags & 4"},
                                                                                 {"has:html", "m.flags & 8"},
                                                                                 {"has:attachment", "m.attachments"},
                                                                                 {"has:attachments", "m.attachments"},
                                                                                 {"has:tag", kHasTag}}};

template <std::size_t size>
std::string_view value_of(const std::array<std::pair<std::string_view, std::string_view>, size>& table,
                          std::string_view key) {
  const auto found = std::ranges::find(table, key, [](const auto& row) { return row.first; });
  return found == table.end() ? std::string_view() : found->second;
}

std::string_view without_brackets(std::string_view text) {
  if (text.starts_with('<')) text.remove_prefix(1);
  if (text.ends_with('>')) text.remove_suffix(1);
  return text;
}

// What a key says of a message's row; nullopt: it is no such key, or not with this value.
std::optional<Condition> condition_of(const Term& term, Time now) {
  const std::string value = lower_case(term.text);
  if (term.key == "is" || term.key == "has") {
    const std::string_view sql = value_of(kStates, term.key + ":" + value);
    if (sql.empty()) return std::nullopt;
    return Condition{std::string(sql)};
  }
  if (term.key == "tag") {
    return Condition{"EXISTS (SELECT 1 FROM tags t WHERE t.sequence = m.sequence AND t.tag = ? COLLATE NOCASE)",
                     term.text};
  }
  if (term.key == "message-id") return Condition{"m.message_id = ?", std::string(without_brackets(term.text))};
  if (term.key == "id" && value.find_first_not_of("0123456789abcdef") == std::string::npos && !value.empty()) {
    return Condition{"m.id GLOB ?", value + "*"};
  }
  if (term.key == "mailbox" || term.key == "in") {
    return Condition{"m.mailbox IN (SELECT mailbox FROM mailboxes WHERE name = ?)", term.text};
  }
  if (term.key == "larger" || term.key == "smaller") {
    const auto size = octets(term.text);
    if (!size) return std::nullopt;
    return Condition{term.key == "larger" ? "m.size > ?" : "m.size < ?", *size};
  }
  if (term.key == "before" || term.key == "after") {
    const auto when = time(term.text, now);
    if (!when) return std::nullopt;
    return Condition{term.key == "before" ? "m.received < ?" : "m.received >= ?", *when};
  }
  return std::nullopt;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

Query parse_query(std::string_view text, Time now) {
  Query query;
  for (std::size_t terms = 0; terms < kMaxTerms; ++terms) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    if (text.empty()) break;
    Term term = take_term(text);
    if (auto condition = condition_of(term, now)) {
      if (term.negated) condition->sql = fmt::format("NOT ({})", condition->sql);
      query.conditions.push_back(*std::move(condition));
      continue;
    }
    const std::string_view column = value_of(kColumns, term.key);
    if (column.empty() && !term.key.empty()) term.text = term.key + " " + term.text;
    if (!has_word(term.text)) continue;
    const std::string words = phrase(term, column);
    if (term.negated) {
      query.conditions.push_back({"m.sequence NOT IN (SELECT rowid FROM search WHERE search MATCH ?)", words});
    } else {
      query.match += query.match.empty() ? words : " AND " + words;
    }
  }
  return query;
}

}  // namespace hooksmtpd::inbox
