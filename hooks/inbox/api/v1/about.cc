#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "hooks/inbox/api/v1/handlers.h"
#include "hooks/inbox/api/v1/shapes.h"

namespace hooksmtpd::inbox::v1 {
namespace {

// Of all that was ever stored, where Mailpit counts from its start.
Json statistics(const Context& context) {
  const Reader& reader = context.store.reader();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ever = static_cast<std::uint64_t>(reader.newest());
  return {{"Uptime", std::chrono::duration_cast<std::chrono::seconds>(now() - context.began).count()},
          {"Memory", usage.ru_maxrss * 1024},
          {"MessagesDeleted", ever - std::min(ever, reader.messages())},
          {"SMTPAccepted", ever},
          {"SMTPAcceptedSize", reader.octets()},
          {"SMTPRejected", reader.attempts()},
          {"SMTPIgnored", 0}};
}

}  // namespace

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
                      {"Tags", std::move(tags)},
                      {"RuntimeStats", statistics(context)}});
}

void web_ui(Context& context, Exchange& exchange) {
  const bool releases = !context.options.relay.empty();
  exchange.reply(Json{{"Label", ""},
                      {"MessageRelay",
                       {{"Enabled", releases},
                        {"SMTPServer", releases ? "the relay hook" : ""},
                        {"ReturnPath", ""},
                        {"AllowedRecipients", ""},
                        {"BlockedRecipients", ""},
                        {"OverrideFrom", ""},
                        {"PreserveMessageIDs", true}}},
                      {"SpamAssassin", false},
                      {"ChaosEnabled", !context.options.faults.empty()},
                      {"DuplicatesIgnored", false},
                      {"HideDeleteAllButton", false}});
}

}  // namespace hooksmtpd::inbox::v1
