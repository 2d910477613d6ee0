// Mailpit's faults on purpose are those of the faults hook, which SMTP asks: it keeps them, and is asked here.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/api/v1/handlers.h"
#include "hooks/inbox/hook/neighbour.h"

namespace hooksmtpd::inbox::v1 {
namespace {

constexpr std::chrono::seconds kLimit{10};

void answer(Exchange& exchange, const std::expected<nlohmann::json, std::string>& said) {
  if (!said) {
    return exchange.reply(
        Problem{502, "Bad Gateway", fmt::format("the faults hook does not answer: {}", said.error())});
  }
  const auto error = said->find("error");
  if (error == said->end()) return exchange.reply(*said);
  exchange.reply(Problem{400, "Bad Request", error->is_string() ? error->get<std::string>() : to_text(*error)});
}

void ask(const Context& context, const ExchangePtr& exchange, const nlohmann::json& question) {
  if (context.options.faults.empty()) bad_request("Chaos is not enabled");
  ask_neighbour(context.base, context.options.faults, question.dump() + '\n', kLimit,
                [exchange](const auto& said) { answer(*exchange, said); });
}

}  // namespace

void show_chaos(Context& context, const ExchangePtr& exchange) { ask(context, exchange, {{"get", "chaos"}}); }

void set_chaos(Context& context, const ExchangePtr& exchange) {
  ask(context, exchange, {{"set", read_json(*exchange)}});
}

}  // namespace hooksmtpd::inbox::v1
