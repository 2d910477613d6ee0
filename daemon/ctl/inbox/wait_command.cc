// hooksmtpctl inbox wait: until messages have come that a query finds.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "config/spelling.h"
#include "daemon/ctl/inbox/commands.h"
#include "daemon/ctl/inbox/message_text.h"
#include "daemon/ctl/member.h"
#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl::inbox {
namespace {

using nlohmann::json;

constexpr std::chrono::minutes kLongest{10};        // that the inbox lets anybody wait
constexpr std::chrono::seconds kAnswersWithin{30};  // beyond the time that it is to wait

struct Options {
  std::vector<std::string> query;
  std::string timeout = "30s", since;
  std::size_t count = 1;
  bool cursor = false;
};

int print_cursor(const Context& context, Connection& connection) {
  const auto answer = connection.get("cursor");
  if (!answer) return fail(context, answer.error());
  if (context.as_json) {
    print_json(*answer);
  } else {
    print(shown(string_member(*answer, "cursor")) + "\n");
  }
  return EX_OK;
}

int wait(const Context& context, const Options& options) {
  const auto timeout = config::parse_duration(options.timeout, config::Milliseconds(0), kLongest);
  if (!timeout) return fail(context, {EX_USAGE, "usage", "--timeout " + timeout.error()});
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*timeout);
  auto connection = connect(context);
  if (!connection) return fail(context, connection.error());
  if (options.cursor) return print_cursor(context, *connection);

  Connection::Parameters parameters{{"query", joined(options.query)},
                                    {"count", std::to_string(options.count)},
                                    {"timeout", std::to_string(seconds.count())}};
  if (!options.since.empty()) parameters.emplace_back("since", options.since);
  const auto answer = connection->get("wait", parameters, seconds + kAnswersWithin);
  if (!answer) return fail(context, answer.error());
  const auto found = messages_of(*answer);
  if (!context.as_json) {
    print(summaries_text(found, Heading::kOff));
    return EX_OK;
  }
  for (json message : found) {
    message["cursor"] = string_member(*answer, "cursor");
    print_json(message);
  }
  return EX_OK;
}

}  // namespace

void add_wait(CLI::App& inbox, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = inbox.add_subcommand("wait", "succeed when a message has come that a query finds");
  command->add_option("QUERY", options->query, "as of search; none: any message");
  command->add_option("--timeout", options->timeout, "give up after this time (30s)")->type_name("TIME");
  command->add_option("--since", options->since, "also what came behind this cursor")->type_name("CURSOR");
  command->add_option("--count", options->count, "so many messages (1)")->type_name("N")->check(CLI::Range(1, 1000));
  command->add_flag("--cursor", options->cursor, "print where the next message will stand, and end");
  command->callback([&context, options] { context.status = wait(context, *options); });
}

}  // namespace hooksmtpd::ctl::inbox
