#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/v1/handlers.h"
#include "hooks/inbox/api/v1/shapes.h"
#include "hooks/inbox/store/reader.h"

namespace hooksmtpd::inbox::v1 {
namespace {

constexpr std::int64_t kUsuallyListed = 50, kMostListed = 10'000;

using Ids = std::vector<std::string>;

}  // namespace

void list(Context& context, Exchange& exchange, const std::string& query) {
  const Reader& reader = context.store.reader();
  const std::int64_t start = number(exchange, "start", 0, INT64_MAX);
  const std::int64_t limit = number(exchange, "limit", kUsuallyListed, kMostListed);
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

void remove_found(Context& context, const ExchangePtr& exchange) {
  if (!exchange->has_parameter("query")) bad_request("no search query");
  context.store.mark_found(exchange->parameter("query"), Mark::kDelete, "", ok(exchange));
}

}  // namespace hooksmtpd::inbox::v1
