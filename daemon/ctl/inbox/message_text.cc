#include "daemon/ctl/inbox/message_text.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "config/spelling.h"
#include "daemon/ctl/entry_text.h"
#include "daemon/ctl/member.h"
#include "daemon/ctl/table.h"
#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl::inbox {
namespace {

using nlohmann::json;

constexpr std::size_t kShortId = 8;
constexpr std::size_t kPersonWidth = 30, kSubjectWidth = 70;  // characters
constexpr int kMaxDepth = 64;                                 // of parts within parts

const json kNull;

// Null: there is none.
const json& at(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNull : *found;
}

// Of `text`, which is UTF-8, at most so many characters.
std::string cut(std::string text, std::size_t width) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins && ++characters > width) return text.substr(0, i) + "…";
  }
  return text;
}

// "Ann <ann@example.org>"
std::string person(const json& address) {
  const std::string name = string_member(address, "name"), mailbox = string_member(address, "address");
  if (name.empty()) return shown(mailbox);
  return mailbox.empty() ? shown(name) : shown(fmt::format("{} <{}>", name, mailbox));
}

std::string people(const json& addresses) {
  std::string text;
  if (!addresses.is_array()) return text;
  for (const json& one : addresses) text.append(text.empty() ? "" : ", ").append(person(one));
  return text;
}

std::string words(const json& list) {
  std::string text;
  if (!list.is_array()) return text;
  for (const json& one : list) {
    if (const auto* word = one.get_ptr<const std::string*>())
      text.append(text.empty() ? "" : ", ").append(shown(*word));
  }
  return text;
}

// "2026-11-23T07:18:07.123Z" -> "2026-11-23 07:18:07"
std::string moment(const json& summary) {
  std::string text = shown(string_member(summary, "received")).substr(0, 19);
  if (text.size() == 19 && text[10] == 'T') text[10] = ' ';
  return text;
}

std::string number(const json& object, const char* key) {
  const json& value = at(object, key);
  return value.is_number() ? value.dump() : "";
}

void add_field(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out += fmt::format("{}: {}\n", name, value);
}

void add_part(std::vector<Row>& rows, const json& part, int depth) {
  if (depth > kMaxDepth || !part.is_object()) return;
  std::string name = shown(string_member(part, "part"));
  name.insert(0, static_cast<std::size_t>(depth) * 2, ' ');
  rows.push_back({std::move(name), shown(string_member(part, "type")), number(part, "size"),
                  shown(string_member(part, "filename"))});
  if (const json& parts = at(part, "parts"); parts.is_array()) {
    for (const json& one : parts) add_part(rows, one, depth + 1);
  }
  add_part(rows, at(part, "message"), depth + 1);
}

}  // namespace

std::vector<json> messages_of(const json& answer) {
  const json& messages = at(answer, "messages");
  return messages.is_array() ? messages.get<std::vector<json>>() : std::vector<json>();
}

std::string summaries_text(const std::vector<json>& summaries, Heading heading) {
  std::vector<Row> rows;
  if (heading == Heading::kOn) rows.push_back({"ID", "RECEIVED (UTC)", "FROM", "TO", "SUBJECT"});
  for (const json& summary : summaries) {
    rows.push_back({shown(string_member(summary, "id").substr(0, kShortId)), moment(summary),
                    cut(person(at(summary, "from")), kPersonWidth), cut(people(at(summary, "to")), kPersonWidth),
                    cut(shown(string_member(summary, "subject")), kSubjectWidth)});
  }
  return table(rows);
}

std::string message_text(const json& message) {
  std::string out;
  add_field(out, "Id", shown(string_member(message, "id")));
  add_field(out, "Received", moment(message) + " UTC");
  const json& envelope = at(message, "envelope");
  add_field(out, "Envelope",
            fmt::format("<{}> -> {}", shown(string_member(envelope, "from")), words(at(envelope, "to"))));
  add_field(out, "From", person(at(message, "from")));
  add_field(out, "To", people(at(message, "to")));
  add_field(out, "Cc", people(at(message, "cc")));
  add_field(out, "Subject", shown(string_member(message, "subject")));
  add_field(out, "Date", shown(string_member(message, "date")));
  add_field(out, "Mailbox", shown(string_member(message, "mailbox")));
  add_field(out, "Tags", words(at(message, "tags")));
  if (const json& attachments = at(message, "attachments"); attachments.is_array()) {
    for (const json& one : attachments) {
      add_field(out, "Attachment",
                fmt::format("{} {} {} {}", shown(string_member(one, "part")), shown(string_member(one, "type")),
                            number(one, "size"), shown(string_member(one, "filename"))));
    }
  }
  add_field(out, "Defects", words(at(message, "defects")));
  out += '\n';
  const std::string text = string_member(message, "text");
  if (!text.empty()) return out + shown_lines(text) + (text.ends_with('\n') ? "" : "\n");
  return out + (at(message, "has_html") == true ? "(no plain text: --html shows what there is)\n" : "(no text)\n");
}

std::string headers_text(const json& message) {
  std::string out;
  const json& headers = at(message, "headers");
  if (!headers.is_array()) return out;
  for (const json& field : headers) {
    if (!field.is_array() || field.size() < 3 || !field[0].is_string()) continue;
    const json& value = field[2].is_string() ? field[2] : field[1];
    if (value.is_string())
      out += shown(fmt::format("{}: {}", field[0].get<std::string>(), value.get<std::string>())) + "\n";
  }
  return out;
}

std::string parts_text(const json& message) {
  std::vector<Row> rows;
  add_part(rows, at(message, "parts"), 0);
  return table(rows);
}

std::string dialogue_text(const json& answer) {
  const json& entries = at(answer, "entries");
  if (!entries.is_array() || entries.empty()) return "(nothing yet: the session has not ended, or there was none)\n";
  const Colours colours = colours_on(STDOUT_FILENO) ? Colours::kOn : Colours::kOff;
  std::string out;
  for (const json& entry : entries) {
    if (entry.is_object()) out += fmt::format("{:>10}  {}\n", number(entry, "ms"), entry_text(entry, colours));
  }
  return out;
}

}  // namespace hooksmtpd::ctl::inbox
