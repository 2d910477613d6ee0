#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/inject.h"
#include "hooks/inbox/api/release.h"
#include "hooks/inbox/api/v1/handlers.h"
#include "hooks/inbox/api/v1/shapes.h"

namespace hooksmtpd::inbox::v1 {
namespace {

constexpr Spelling kSpelling{.from = "From",
                             .to = "To",
                             .cc = "Cc",
                             .bcc = "Bcc",
                             .reply_to = "ReplyTo",
                             .subject = "Subject",
                             .text = "Text",
                             .html = "HTML",
                             .headers = "Headers",
                             .tags = "Tags",
                             .attachments = "Attachments",
                             .address = "Email",
                             .name = "Name",
                             .content = "Content",
                             .filename = "Filename",
                             .type = "ContentType",
                             .content_id = "ContentID"};

}  // namespace

void send(Context& context, const ExchangePtr& exchange) {
  Injection injection = injection_of(read_draft(read_json(*exchange), kSpelling));
  inject(context, std::move(injection), [exchange](const auto& id) {
    if (!id) return exchange->reply(problem_of(id.error()));
    exchange->reply(Json{{"ID", *id}});
  });
}

void release(Context& context, const ExchangePtr& exchange, const std::string& id) {
  const auto to = read_json(*exchange).value("To", std::vector<std::string>());
  inbox::release(context, id, to, [exchange](const std::optional<Problem>& problem) {
    if (problem) return exchange->reply(*problem);
    exchange->reply(HTTP_OK, kPlain, "ok");
  });
}

}  // namespace hooksmtpd::inbox::v1
