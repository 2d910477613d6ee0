#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/v1/handlers.h"
#include "hooks/inbox/api/v1/shapes.h"

namespace hooksmtpd::inbox::v1 {
namespace {

void must_be_tag(const std::string& name) {
  if (name.empty() || name.size() > kMaxTag) bad_request(fmt::format("a tag must be 1 to {} octets", kMaxTag));
}

}  // namespace

void list_tags(Context& context, Exchange& exchange) {
  Json names = Json::array();
  for (const Tag& tag : context.store.reader().tags()) names.push_back(tag.name);
  exchange.reply(names);
}

void set_tags(Context& context, const ExchangePtr& exchange) {
  const nlohmann::json asked = read_json(*exchange);
  using Texts = std::vector<std::string>;
  const auto tags = asked.value("Tags", Texts());
  std::ranges::for_each(tags, must_be_tag);
  context.store.set_tags(asked.value("IDs", Texts()), tags, ok(exchange));
}

void rename_tag(Context& context, const ExchangePtr& exchange, const std::string& tag) {
  const std::string name = read_json(*exchange).value("Name", "");
  must_be_tag(name);
  const std::vector<Tag> tags = context.store.reader().tags();
  if (std::ranges::find(tags, tag, &Tag::name) == tags.end()) bad_request("tag not found: " + tag);
  if (name == tag) return exchange->reply(HTTP_OK, kPlain, "ok");
  context.store.rename_tag(tag, name, ok(exchange));
}

void delete_tag(Context& context, const ExchangePtr& exchange, const std::string& tag) {
  context.store.rename_tag(tag, "", ok(exchange));
}

}  // namespace hooksmtpd::inbox::v1
