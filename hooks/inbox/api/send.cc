#include "hooks/inbox/api/send.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/inject.h"
#include "hooks/inbox/api/release.h"
#include "hooks/inbox/api/shapes.h"
#include "hooks/mime/field_text.h"

namespace hooksmtpd::inbox::v2 {
namespace {

constexpr int kCreated = 201;

constexpr Spelling kSpelling{.from = "from",
                             .to = "to",
                             .cc = "cc",
                             .bcc = "bcc",
                             .reply_to = "reply_to",
                             .subject = "subject",
                             .text = "text",
                             .html = "html",
                             .headers = "headers",
                             .tags = "tags",
                             .attachments = "attachments",
                             .address = "address",
                             .name = "name",
                             .content = "content",
                             .filename = "filename",
                             .type = "type",
                             .content_id = "content_id"};

Injection as_it_is(const Exchange& exchange) {
  Injection injection{.from = exchange.parameter("from"), .to = {}, .octets = exchange.body()};
  std::istringstream in(exchange.parameter("to"));
  for (std::string one; std::getline(in, one, ',');) injection.to.push_back(one);
  if (!injection.from.empty() && !is_address(injection.from)) bad_request("`from` is no address");
  for (const std::string& one : injection.to) {
    if (!is_address(one)) bad_request(fmt::format("invalid address: \"{}\"", one));
  }
  fill_envelope(injection);
  return injection;
}

void answer(Context& context, Exchange& exchange, const std::string& id) try {
  const auto message = context.store.reader().message(id);
  if (!message) return exchange.reply(Problem{410, "Gone", "it is stored, and deleted again"});
  exchange.reply(kCreated, kJson, inbox::to_text(to_json(message->summary)), {{"Location", "/api/v2/messages/" + id}});
} catch (const DatabaseError& error) {
  reply_broken(context, exchange, error);
}

}  // namespace

void send(Context& context, const ExchangePtr& exchange) {
  const std::string type = mime::lower_case(exchange->header("Content-Type").value_or(""));
  Injection injection = type.starts_with("message/rfc822") ? as_it_is(*exchange)
                                                           : injection_of(read_draft(read_json(*exchange), kSpelling));
  inject(context, std::move(injection), [&context, exchange](const auto& id) {
    if (!id) return exchange->reply(problem_of(id.error()));
    answer(context, *exchange, *id);
  });
}

void release(Context& context, const ExchangePtr& exchange, const std::string& id) {
  const auto to = read_json(*exchange).value("to", std::vector<std::string>());
  inbox::release(context, id, to, [exchange, to](const std::optional<Problem>& problem) {
    if (problem) return exchange->reply(*problem);
    exchange->reply(Json{{"released", to}});
  });
}

}  // namespace hooksmtpd::inbox::v2
