#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/export.h"
#include "hooks/inbox/api/shapes.h"
#include "hooks/inbox/api/v1/blank.h"
#include "hooks/inbox/api/v1/handlers.h"
#include "hooks/inbox/api/v1/shapes.h"
#include "hooks/inbox/page/frame.h"
#include "hooks/inbox/store/reader.h"
#include "hooks/mime/field_text.h"

namespace hooksmtpd::inbox::v1 {
namespace {

constexpr std::size_t kMaxText = 4 * 1024 * 1024;  // octets of a text within a message's JSON

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

const mime::Node& part_of(const Opened& opened, const std::string& number) {
  const auto* const part = opened.part(number);
  if (!part) not_found("part not found");
  return *part;
}

}  // namespace

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
                  {"From", one.from ? to_json(*one.from) : Json(nullptr)},
                  {"To", to_json(one.to)},
                  {"Cc", to_json(one.cc)},
                  {"Bcc", to_json(message.bcc)},
                  {"ReplyTo", to_json(message.reply_to)},
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
  if (!found) not_found("there is no such message");
}

void show_part(Context& context, Exchange& exchange, const std::string& id, const std::string& number) {
  const Opened opened = open(context, id);
  const mime::Node& part = part_of(opened, number);
  exchange.reply(HTTP_OK, part.content.type, opened.octets(part),
                 {{"Content-Disposition", v2::attachment_header(part.content.filename.value_or("part-" + number))},
                  {"Content-Security-Policy", "sandbox; default-src 'none'"}});
}

// No picture of anybody's is taken apart here: decoders are where programs that read mail are broken into, and this one
// holds all of it. Mailpit answers a white one for what it does not know; so do we for all.
void show_thumbnail(Context& context, Exchange& exchange, const std::string& id, const std::string& number) {
  part_of(open(context, id), number);
  exchange.reply(HTTP_OK, "image/jpeg", blank_jpeg());
}

void view(Context& context, Exchange& exchange, const std::string& id, bool html) {
  const std::string own_id = message_of(context, id).summary.id;
  const Opened opened = open(context, own_id);
  const auto* const part = opened.body(html ? "text/html" : "text/plain");
  if (!part) not_found(html ? "it has no HTML" : "it has no text");
  const std::string text = opened.text(*part, kMaxText);
  if (!html) return exchange.reply(HTTP_OK, kPlain, text);
  std::vector<page::InlinePart> pictures;
  opened.each([&](const mime::Node& each) {
    if (each.content.id) {
      pictures.push_back(
          {*each.content.id, fmt::format("../api/v2/messages/{}/parts/{}?inline=1", own_id, each.number)});
    }
  });
  exchange.reply(HTTP_OK, "text/html; charset=utf-8", page::frame_document(text, pictures),
                 {{"Content-Security-Policy", page::frame_policy(page::Remote::kBlocked)}});
}

}  // namespace hooksmtpd::inbox::v1
