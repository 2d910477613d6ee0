// Mailpit's API, version 1, as test suites speak it: its paths, its shapes (github.com/axllent/mailpit, docs of API
// v1).

#include <event2/http.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "hooks/inbox/api/context.h"
#include "hooks/inbox/api/export.h"
#include "hooks/inbox/api/read_json.h"
#include "hooks/inbox/api/shapes.h"
#include "hooks/inbox/mail/document.h"
#include "hooks/inbox/mail/opened.h"
#include "hooks/inbox/page/frame.h"
#include "hooks/inbox/store/reader.h"
#include "hooks/mime/field_text.h"

namespace hooksmtpd::inbox::v1 {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kUsuallyListed = 50, kMostListed = 10'000;
constexpr std::size_t kMaxText = 4 * 1024 * 1024;  // octets of a text within a message's JSON

Time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

std::int64_t number(const Exchange& exchange, const char* name, std::int64_t usual) {
  const std::string text = exchange.parameter(name);
  if (text.empty()) return usual;
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    bad_request(fmt::format("{} must be a number", name));
  }
  return value;
}

Json address(const Address& one) { return {{"Name", one.name}, {"Address", one.address}}; }

Json addresses(const Addresses& all) {
  Json list = Json::array();
  for (const Address& one : all) list.push_back(address(one));
  return list;
}

Json summary(const Message& message) {
  const Summary& one = message.summary;
  return {{"ID", one.id},
          {"MessageID", one.message_id},
          {"Read", !one.unread},
          {"From", one.from ? address(*one.from) : Json(nullptr)},
          {"To", addresses(one.to)},
          {"Cc", addresses(one.cc)},
          {"Bcc", addresses(message.bcc)},
          {"ReplyTo", addresses(message.reply_to)},
          {"Subject", one.subject},
          {"Created", v2::to_text(one.received)},
          {"Username", one.user},
          {"Tags", one.tags},
          {"Size", one.size},
          {"Attachments", one.attachments},
          {"Snippet", one.snippet}};
}

void list(Context& context, Exchange& exchange, const std::string& query) {
  const Reader& reader = context.store.reader();
  const std::int64_t start = number(exchange, "start", 0);
  const auto limit = std::min(number(exchange, "limit", kUsuallyListed), kMostListed);
  const Page page = reader.list(
      {.query = query, .limit = static_cast<std::size_t>(limit), .skip = static_cast<std::uint64_t>(start)}, now());
  Json messages = Json::array();
  for (const Summary& each : page.messages) {
    if (const auto message = reader.message(each.id)) messages.push_back(summary(*message));
  }
  const Page unread = reader.list({.query = query + " is:unread", .limit = 0}, now());
  Json tags = Json::array();
  for (const Tag& tag : reader.tags()) tags.push_back(tag.name);
  exchange.reply(Json{{"total", reader.messages()},
                      {"unread", reader.unread("")},
                      {"count", page.messages.size()},
                      {"messages_count", page.total},
                      {"messages_unread", unread.total},
                      {"start", start},
                      {"tags", std::move(tags)},
                      {"messages", std::move(messages)}});
}

Message message_of(Context& context, const std::string& id) {
  auto message = context.store.reader().message(id);
  if (!message) not_found("message not found");
  return *std::move(message);
}

Opened open(Context& context, const std::string& id) {
  std::optional<Opened> opened;
  context.store.reader().raw(id, [&](std::string_view octets) { opened.emplace(octets); });
  if (!opened) not_found("message not found");
  return *std::move(opened);
}

Json attachment(const Opened& opened, const mime::Node& part) {
  return {{"PartID", part.number},
          {"FileName", part.content.filename.value_or("")},
          {"ContentType", part.content.type},
          {"ContentID", part.content.id.value_or("")},
          {"Size", opened.size(part)}};
}

std::string text_of(const Opened& opened, std::string_view type) {
  const auto* const part = opened.body(type);
  return part ? opened.text(*part, kMaxText) : "";
}

// List-Unsubscribe and List-Unsubscribe-Post (RFC 2369, RFC 8058).
Json unsubscribe(const Opened& opened) {
  const auto field = [&](const char* name) {
    return mime::unfolded(opened.root().header.find(name).value_or(std::string_view()));
  };
  const std::string header = field("List-Unsubscribe");
  Json links = Json::array();
  for (std::size_t at = header.find('<'); at != std::string::npos; at = header.find('<', at + 1)) {
    const std::size_t end = header.find('>', at);
    if (end != std::string::npos) links.push_back(header.substr(at + 1, end - at - 1));
  }
  return {
      {"Header", header}, {"Links", std::move(links)}, {"Errors", ""}, {"HeaderPost", field("List-Unsubscribe-Post")}};
}

// Whoever reads a message here has read it, as with Mailpit.
void show(Context& context, const ExchangePtr& exchange, const std::string& id) {
  const Message message = message_of(context, id);
  const Summary& one = message.summary;
  const Opened opened = open(context, one.id);
  Json inline_parts = Json::array(), attachments = Json::array();
  opened.each([&](const mime::Node& part) {
    if (part.content.is_text() && !part.content.filename && part.content.disposition != "attachment") return;
    const bool in_place = part.content.id || part.content.disposition == "inline";
    (in_place ? inline_parts : attachments).push_back(attachment(opened, part));
  });
  const Json json{{"ID", one.id},
                  {"MessageID", one.message_id},
                  {"From", one.from ? address(*one.from) : Json(nullptr)},
                  {"To", addresses(one.to)},
                  {"Cc", addresses(one.cc)},
                  {"Bcc", addresses(message.bcc)},
                  {"ReplyTo", addresses(message.reply_to)},
                  {"ReturnPath", message.arrival.from},
                  {"Subject", one.subject},
                  {"ListUnsubscribe", unsubscribe(opened)},
                  {"Date", v2::to_text(message.date.value_or(one.received))},
                  {"Tags", one.tags},
                  {"Username", one.user},
                  {"Text", text_of(opened, "text/plain")},
                  {"HTML", text_of(opened, "text/html")},
                  {"Size", one.size},
                  {"Inline", std::move(inline_parts)},
                  {"Attachments", std::move(attachments)}};
  if (!one.unread) return exchange->reply(json);
  context.store.mark({one.id}, Mark::kRead, "", [exchange, json](std::size_t, const auto&) { exchange->reply(json); });
}

void show_headers(Context& context, Exchange& exchange, const std::string& id) {
  const Opened opened = open(context, id);
  Json fields = Json::object();
  for (const Json& field : headers_of(opened.root())) fields[field[0].get<std::string>()].push_back(field[2]);
  exchange.reply(fields);
}

void show_raw(Context& context, Exchange& exchange, const std::string& id) {
  const bool download = exchange.parameter("dl") == "1";
  const bool found = context.store.reader().raw(id, [&](std::string_view octets) {
    if (!download) return exchange.reply(HTTP_OK, kPlain, octets);
    exchange.reply(HTTP_OK, kPlain, octets, {{"Content-Disposition", v2::attachment_header(id + ".eml")}});
  });
  if (!found) not_found("message not found");
}

void show_part(Context& context, Exchange& exchange, const std::string& id, const std::string& number) {
  const Opened opened = open(context, id);
  const auto* const part = opened.part(number);
  if (!part) not_found("part not found");
  exchange.reply(HTTP_OK, part->content.type, opened.octets(*part),
                 {{"Content-Disposition", v2::attachment_header(part->content.filename.value_or("part-" + number))},
                  {"Content-Security-Policy", "sandbox; default-src 'none'"}});
}

// The inbox has no network: it names the links and fetches none.
void list_links(Context& context, Exchange& exchange, const std::string& id) {
  Json links = Json::array();
  for (const Json& link : links_of(open(context, id))) {
    links.push_back({{"URL", link.at("url")}, {"StatusCode", 0}, {"Status", "not fetched"}});
  }
  exchange.reply(Json{{"Errors", 0}, {"Links", std::move(links)}});
}

void view(Context& context, Exchange& exchange, const std::string& id, bool html) {
  const Opened opened = open(context, id);
  const auto* const part = opened.body(html ? "text/html" : "text/plain");
  if (!part) not_found(html ? "it has no HTML" : "it has no text");
  const std::string text = opened.text(*part, kMaxText);
  if (!html) return exchange.reply(HTTP_OK, kPlain, text);
  std::vector<page::InlinePart> pictures;
  opened.each([&](const mime::Node& each) {
    if (each.content.id) {
      pictures.push_back({*each.content.id, fmt::format("../api/v2/messages/{}/parts/{}?inline=1", id, each.number)});
    }
  });
  exchange.reply(HTTP_OK, "text/html; charset=utf-8", page::frame_document(text, pictures),
                 {{"Content-Security-Policy", page::frame_policy(page::Remote::kBlocked)}});
}

void info(Context& context, Exchange& exchange) {
  const Reader& reader = context.store.reader();
  Json tags = Json::object();
  for (const Tag& tag : reader.tags()) tags[tag.name] = tag.messages;
  exchange.reply(Json{{"Version", HOOKSMTPD_VERSION},
                      {"LatestVersion", HOOKSMTPD_VERSION},
                      {"Database", "inbox.db"},
                      {"DatabaseSize", reader.octets()},
                      {"Messages", reader.messages()},
                      {"Unread", reader.unread("")},
                      {"Tags", std::move(tags)}});
}

void web_ui(Exchange& exchange) {
  exchange.reply(Json{{"Label", ""},
                      {"MessageRelay", {{"Enabled", false}, {"SMTPServer", ""}}},
                      {"SpamAssassin", false},
                      {"ChaosEnabled", false},
                      {"DuplicatesIgnored", false},
                      {"HideDeleteAllButton", false}});
}

void tags(Context& context, Exchange& exchange) {
  Json names = Json::array();
  for (const Tag& tag : context.store.reader().tags()) names.push_back(tag.name);
  exchange.reply(names);
}

Store::Changed ok(const ExchangePtr& exchange) {
  return [exchange](std::size_t, const std::optional<WriteFailure>& failure) {
    if (failure) return exchange->reply(Problem{500, "Internal Server Error", failure->text});
    exchange->reply(HTTP_OK, kPlain, "ok");
  };
}

using Ids = std::vector<std::string>;

// What is not said to be about some messages is about all of them.
void set_read(Context& context, const ExchangePtr& exchange) {
  const nlohmann::json asked = read_json(*exchange);
  const Mark mark = asked.value("Read", false) ? Mark::kRead : Mark::kUnread;
  const Ids ids = asked.value("IDs", Ids());
  if (!ids.empty()) return context.store.mark(ids, mark, "", ok(exchange));
  context.store.mark_found(asked.value("Search", ""), mark, "", ok(exchange));
}

void remove(Context& context, const ExchangePtr& exchange) {
  const nlohmann::json asked = exchange->body().empty() ? nlohmann::json::object() : read_json(*exchange);
  const Ids ids = asked.value("IDs", Ids());
  if (!ids.empty()) return context.store.mark(ids, Mark::kDelete, "", ok(exchange));
  context.store.mark_found("", Mark::kDelete, "", ok(exchange));
}

void set_tags(Context& context, const ExchangePtr& exchange) {
  const nlohmann::json asked = read_json(*exchange);
  context.store.set_tags(asked.value("IDs", Ids()), asked.value("Tags", Ids()), ok(exchange));
}

std::vector<std::string> words_of(const std::string& path) {
  std::vector<std::string> words;
  std::istringstream in(path);
  for (std::string word; std::getline(in, word, '/');) words.push_back(word);
  return words;
}

bool read_one(Context& context, const ExchangePtr& exchange, const std::vector<std::string>& words) {
  Exchange& out = *exchange;
  const std::string& first = words[0];
  if (words.size() == 1) {
    if (first == "messages") return list(context, out, ""), true;
    if (first == "search") return list(context, out, out.parameter("query")), true;
    if (first == "tags") return tags(context, out), true;
    if (first == "info") return info(context, out), true;
    if (first == "webui") return web_ui(out), true;
    return false;
  }
  if (first != "message") return false;
  if (words.size() == 2) return show(context, exchange, words[1]), true;
  if (words.size() == 3) {
    if (words[2] == "headers") return show_headers(context, out, words[1]), true;
    if (words[2] == "raw") return show_raw(context, out, words[1]), true;
    if (words[2] == "link-check") return list_links(context, out, words[1]), true;
  }
  if (words.size() == 4 && words[2] == "part") return show_part(context, out, words[1], words[3]), true;
  return false;
}

bool change(Context& context, const ExchangePtr& exchange, const std::vector<std::string>& words) {
  if (words.size() != 1) return false;
  const bool puts = exchange->method() == EVHTTP_REQ_PUT, deletes = exchange->method() == EVHTTP_REQ_DELETE;
  if (words[0] == "messages" && puts) return set_read(context, exchange), true;
  if (words[0] == "messages" && deletes) return remove(context, exchange), true;
  if (words[0] == "search" && deletes) {
    if (!exchange->has_parameter("query")) bad_request("no search query");
    return context.store.mark_found(exchange->parameter("query"), Mark::kDelete, "", ok(exchange)), true;
  }
  if (words[0] == "tags" && puts) return set_tags(context, exchange), true;
  return false;
}

// "/view/ID.html", "/view/ID.txt", "/view/latest.html".
bool view_one(Context& context, Exchange& exchange) {
  constexpr std::string_view kView = "/view/";
  const std::string_view path = exchange.path();
  const bool html = path.ends_with(".html");
  if (!path.starts_with(kView) || !(html || path.ends_with(".txt"))) return false;
  const std::string_view id = path.substr(kView.size());
  view(context, exchange, std::string(id.substr(0, id.rfind('.'))), html);
  return true;
}

}  // namespace

bool route(Context& context, const ExchangePtr& exchange) {
  if (exchange->reads() && view_one(context, *exchange)) return true;
  constexpr std::string_view kPrefix = "/api/v1/";
  if (!exchange->path().starts_with(kPrefix)) return false;
  const auto words = words_of(exchange->path().substr(kPrefix.size()));
  if (words.empty()) return false;
  return exchange->reads() ? read_one(context, exchange, words) : change(context, exchange, words);
}

}  // namespace hooksmtpd::inbox::v1
