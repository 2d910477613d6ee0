#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/context.h"
#include "hooks/inbox/api/export.h"
#include "hooks/inbox/api/live.h"
#include "hooks/inbox/api/send.h"
#include "hooks/inbox/api/shapes.h"
#include "hooks/inbox/mail/document.h"
#include "hooks/inbox/mail/opened.h"
#include "hooks/inbox/page/frame.h"
#include "hooks/inbox/store/query.h"
#include "hooks/inbox/store/reader.h"
#include "hooks/mime/field_text.h"

namespace hooksmtpd::inbox::v2 {
namespace {

constexpr std::int64_t kMostListed = 1000, kUsuallyListed = 50;
constexpr std::size_t kMaxHtml = 4 * 1024 * 1024;  // octets that are shown
constexpr std::size_t kMaxText = 1024 * 1024;      // octets of a text within a message's JSON

Json next_of(std::int64_t next) { return next == 0 ? Json(nullptr) : Json(std::to_string(next)); }

void list(Context& context, Exchange& exchange) {
  const std::string query = exchange.parameter("query"), mailbox = exchange.parameter("mailbox");
  const Page page = context.store.reader().list(
      {.query = query,
       .mailbox = mailbox,
       .before = number(exchange, "cursor", 0, INT64_MAX),
       .limit = static_cast<std::size_t>(number(exchange, "limit", kUsuallyListed, kMostListed))},
      now());
  Json messages = Json::array();
  for (const Summary& summary : page.messages) messages.push_back(to_json(summary));
  exchange.reply(Json{{"messages", std::move(messages)},
                      {"total", page.total},
                      {"more_than_total", page.more_than_that},
                      {"unread", page.unread},
                      {"next", next_of(page.next)}});
}

Json attachments_of(const Opened& opened) {
  Json list = Json::array();
  opened.each([&](const mime::Node& part) {
    const bool named = part.content.filename.has_value(), has_id = part.content.id.has_value();
    if (part.content.is_text() && !named && part.content.disposition != "attachment") return;
    list.push_back({{"part", part.number},
                    {"filename", named ? Json(*part.content.filename) : Json(nullptr)},
                    {"type", part.content.type},
                    {"size", opened.size(part)},
                    {"inline", has_id || part.content.disposition == "inline"},
                    {"content_id", has_id ? Json(*part.content.id) : Json(nullptr)}});
  });
  return list;
}

void show(Context& context, Exchange& exchange, const std::string& id) {
  const Message message = message_of(context, id);
  const Opened opened = open(context, message.summary.id);
  const auto* const plain = opened.body("text/plain");
  const auto* const html = opened.body("text/html");
  Json json = to_json(message.summary);
  json["envelope"] = {{"from", message.arrival.from}, {"to", message.arrival.to}};
  json["session"] = message.arrival.session.empty() ? Json(nullptr) : Json(message.arrival.session);
  json["transaction"] = message.arrival.transaction;
  json["listener"] = message.arrival.listener;
  json["bcc"] = to_json(message.bcc);
  json["reply_to"] = to_json(message.reply_to);
  json["date"] = message.date ? Json(to_text(*message.date)) : Json(nullptr);
  json["message_id"] = message.summary.message_id;
  json["trace_headers"] = message.arrival.trace_headers;
  json["headers"] = headers_of(opened.root());
  json["text"] = plain ? Json(opened.text(*plain, kMaxText)) : Json(nullptr);
  json["has_html"] = html != nullptr;
  json["parts"] = opened.tree();
  json["attachments"] = attachments_of(opened);
  json["links"] = links_of(opened);
  json["html_notes"] = html ? notes_on(opened.text(*html, kMaxText)) : Json::array();
  json["defects"] = opened.defects();
  exchange.reply(json);
}

void show_html(Context& context, Exchange& exchange, const std::string& id) {
  const Opened opened = open(context, id);
  const auto* const html = opened.body("text/html");
  if (!html) not_found("it has no part that is text/html");
  std::vector<page::InlinePart> pictures;
  opened.each([&](const mime::Node& part) {
    if (part.content.id) pictures.push_back({*part.content.id, fmt::format("parts/{}?inline=1", part.number)});
  });
  const auto remote = exchange.parameter("remote") == "1" ? page::Remote::kPictures : page::Remote::kBlocked;
  exchange.reply(HTTP_OK, "text/html; charset=utf-8", page::frame_document(opened.text(*html, kMaxHtml), pictures),
                 {{"Content-Security-Policy", page::frame_policy(remote)}});
}

void show_text(Context& context, Exchange& exchange, const std::string& id) {
  const Opened opened = open(context, id);
  const auto* const plain = opened.body("text/plain");
  if (!plain) not_found("it has no part that is text/plain");
  exchange.reply(HTTP_OK, kPlain, opened.text(*plain, SIZE_MAX));
}

void show_raw(Context& context, Exchange& exchange, const std::string& id, bool source) {
  const bool found = context.store.reader().raw(id, [&](std::string_view octets) {
    if (source) return exchange.reply(HTTP_OK, kPlain, octets);
    exchange.reply(HTTP_OK, "message/rfc822", octets,
                   {{"Content-Disposition", fmt::format("attachment; filename=\"{}.eml\"", id)}});
  });
  if (!found) not_found("there is no such message");
}

void show_part(Context& context, Exchange& exchange, const std::string& id, const std::string& number) {
  const Opened opened = open(context, id);
  const auto* const part = opened.part(number);
  if (!part) not_found("the message has no such part");
  const bool in_place = exchange.parameter("inline") == "1" && is_harmless_image(part->content.type);
  exchange.reply(HTTP_OK, in_place ? part->content.type : "application/octet-stream", opened.octets(*part),
                 {{"Content-Disposition",
                   in_place ? "inline" : attachment_header(part->content.filename.value_or("part-" + number))},
                  {"Content-Security-Policy", "sandbox; default-src 'none'"},
                  {"Cross-Origin-Resource-Policy", in_place ? "cross-origin" : "same-origin"}});
}

Json entries_of(const Session& session) {
  return Json::parse(session.dialogue.empty() ? "[]" : session.dialogue, nullptr, false);
}

void show_dialogue(Context& context, Exchange& exchange, const std::string& id) {
  const Message message = message_of(context, id);
  const auto session = context.store.reader().session(message.arrival.session);
  if (!session) return exchange.reply(Json{{"session", nullptr}, {"entries", Json::array()}});
  exchange.reply(Json{{"session", to_json(*session)}, {"entries", entries_of(*session)}});
}

void list_sessions(Context& context, Exchange& exchange) {
  const auto found = context.store.reader().sessions(
      exchange.parameter("attempts") == "true", number(exchange, "cursor", 0, INT64_MAX),
      static_cast<std::size_t>(number(exchange, "limit", kUsuallyListed, kMostListed)));
  Json sessions = Json::array();
  for (const Session& session : found.sessions) sessions.push_back(to_json(session));
  exchange.reply(Json{{"sessions", std::move(sessions)}, {"next", next_of(found.next)}});
}

void show_session(Context& context, Exchange& exchange, const std::string& id) {
  const auto session = context.store.reader().session(id);
  if (!session) not_found("there is no such session");
  Json json = to_json(*session);
  json["entries"] = entries_of(*session);
  exchange.reply(json);
}

Mark mark_of(const std::string& action) {
  if (action == "read") return Mark::kRead;
  if (action == "unread") return Mark::kUnread;
  if (action == "delete") return Mark::kDelete;
  if (action == "tag") return Mark::kTag;
  if (action == "untag") return Mark::kUntag;
  bad_request("`action` must be one of read, unread, delete, tag, untag");
}

void act(Context& context, const ExchangePtr& exchange) {
  const nlohmann::json asked = read_json(*exchange);
  const Mark mark = mark_of(asked.value("action", ""));
  const std::string tag = asked.value("tag", "");
  if ((mark == Mark::kTag || mark == Mark::kUntag) && (tag.empty() || tag.size() > kMaxTag))
    bad_request(fmt::format("`tag` must be 1 to {} octets", kMaxTag));
  const Store::Changed answer = [exchange](std::size_t count, const std::optional<WriteFailure>& failure) {
    if (failure) return exchange->reply(problem_of(*failure));
    exchange->reply(Json{{"count", count}});
  };
  if (asked.contains("ids")) return context.store.mark(asked.at("ids"), mark, tag, answer);
  if (!asked.contains("query")) bad_request("either `ids` or `query` must say which messages");
  std::string query = asked.at("query");
  // A search for "!" shows everything; to delete everything takes the empty text.
  if (!query.empty() && parse_query(query, now()).empty()) bad_request("`query` has nothing in it to search for");
  if (asked.contains("mailbox") && asked.at("mailbox") != "")
    query += " mailbox:" + in_quotes(asked.at("mailbox").get<std::string>());
  context.store.mark_found(std::move(query), mark, tag, answer);
}

void info(Context& context, Exchange& exchange) {
  const Reader& reader = context.store.reader();
  exchange.reply(Json{{"version", HOOKSMTPD_VERSION},
                      {"hostname", context.facts.hostname},
                      {"smtp", context.facts.smtp},
                      {"messages", reader.messages()},
                      {"unread", reader.unread("")},
                      {"attempts", reader.attempts()},
                      {"release", !context.options.relay.empty()},
                      {"size", reader.octets()}});
}

void mailboxes(Context& context, Exchange& exchange) {
  Json list = Json::array();
  for (const Mailbox& each : context.store.reader().mailboxes()) {
    list.push_back({{"name", each.name}, {"messages", each.messages}, {"unread", each.unread}});
  }
  exchange.reply(Json{{"mailboxes", std::move(list)}});
}

void tags(Context& context, Exchange& exchange) {
  Json list = Json::array();
  for (const Tag& each : context.store.reader().tags())
    list.push_back({{"name", each.name}, {"messages", each.messages}});
  exchange.reply(Json{{"tags", std::move(list)}});
}

bool read_one(Context& context, const ExchangePtr& exchange, const std::vector<std::string>& words) {
  Exchange& out = *exchange;
  const std::string& first = words[0];
  if (words.size() == 1) {
    if (first == "messages") return list(context, out), true;
    if (first == "sessions") return list_sessions(context, out), true;
    if (first == "mailboxes") return mailboxes(context, out), true;
    if (first == "tags") return tags(context, out), true;
    if (first == "info") return info(context, out), true;
    if (first == "cursor") return out.reply(Json{{"cursor", cursor(context.store)}}), true;
    if (first == "wait") return wait(context, exchange), true;
    if (first == "events") return follow(context, exchange), true;
    if (first == "export") return export_messages(context, out), true;
  }
  if (words.size() == 2 && first == "sessions") return show_session(context, out, words[1]), true;
  if (words.size() == 2 && first == "messages") return show(context, out, words[1]), true;
  if (words.size() == 3 && first == "messages") {
    const std::string& what = words[2];
    if (what == "html") return show_html(context, out, words[1]), true;
    if (what == "text") return show_text(context, out, words[1]), true;
    if (what == "raw" || what == "source") return show_raw(context, out, words[1], what == "source"), true;
    if (what == "dialogue") return show_dialogue(context, out, words[1]), true;
  }
  if (words.size() == 4 && first == "messages" && words[2] == "parts")
    return show_part(context, out, words[1], words[3]), true;
  return false;
}

}  // namespace

bool route(Context& context, const ExchangePtr& exchange) {
  constexpr std::string_view kPrefix = "/api/v2/";
  if (!exchange->path().starts_with(kPrefix)) return false;
  const auto words = words_of(exchange->path().substr(kPrefix.size()));
  if (words.empty()) return false;
  if (exchange->reads()) return read_one(context, exchange, words);
  if (exchange->method() != EVHTTP_REQ_POST || words[0] != "messages") return false;
  if (words.size() == 1) return send(context, exchange), true;
  if (words.size() == 2 && words[1] == "actions") return act(context, exchange), true;
  if (words.size() == 3 && words[2] == "release") return release(context, exchange, words[1]), true;
  return false;
}

}  // namespace hooksmtpd::inbox::v2
