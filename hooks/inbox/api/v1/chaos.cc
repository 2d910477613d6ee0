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

void ask(const Context& context, const ExchangePtr& exchange, const nlohmann::json& question) {
  if (context.options.faults.empty()) bad_request("Chaos is not enabled");
  ask_neighbour(context.base, context.options.faults, question.dump() + '\n', kLimit, [exchange](const auto& answer) {
    if (!answer) {
      return exchange->reply(
          Problem{502, "Bad Gateway", fmt::format("the faults hook does not answer: {}", answer.error())});
    }
    if (answer->contains("error")) return exchange->reply(Problem{400, "Bad Request", answer->value("error", "")});
    exchange->reply(*answer);
  });
}

}  // namespace

void show_chaos(Context& context, const ExchangePtr& exchange) { ask(context, exchange, {{"get", "chaos"}}); }

void set_chaos(Context& context, const ExchangePtr& exchange) {
  ask(context, exchange, {{"set", read_json(*exchange)}});
}

}  // namespace hooksmtpd::inbox::v1
