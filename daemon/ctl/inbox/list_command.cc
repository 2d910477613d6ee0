// hooksmtpctl inbox list, search: what is there, newest first.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/ctl/inbox/commands.h"
#include "daemon/ctl/inbox/message_text.h"
#include "daemon/ctl/member.h"

namespace hooksmtpd::ctl::inbox {
namespace {

using nlohmann::json;

constexpr std::size_t kPage = 1000;  // messages that the inbox tells of at once

struct Options {
  std::vector<std::string> query;
  std::string mailbox;
  std::size_t limit = 50;
};

int list(const Context& context, const Options& options) {
  auto connection = connect(context);
  if (!connection) return fail(context, connection.error());
  std::vector<json> found;
  std::string cursor = "0";
  while (!cursor.empty() && found.size() < options.limit) {
    const auto answer =
        connection->get("messages", {{"query", joined(options.query)},
                                     {"mailbox", options.mailbox},
                                     {"limit", std::to_string(std::min(options.limit - found.size(), kPage))},
                                     {"cursor", cursor}});
    if (!answer) return fail(context, answer.error());
    for (json& message : messages_of(*answer)) {
      if (context.as_json) print_json(message);
      found.push_back(std::move(message));
    }
    cursor = string_member(*answer, "next");
  }
  if (context.as_json) return EX_OK;
  if (!found.empty()) print(summaries_text(found, Heading::kOn));
  if (found.empty()) fmt::print(stderr, "hooksmtpctl: no message\n");
  if (!cursor.empty()) fmt::print(stderr, "hooksmtpctl: these are the newest {}; more with --limit\n", found.size());
  return EX_OK;
}

}  // namespace

void add_list(CLI::App& inbox, Context& context) {
  const auto add = [&](const char* name, const char* what) {
    const auto options = std::make_shared<Options>();
    CLI::App* const command = inbox.add_subcommand(name, what);
    command->add_option("--mailbox", options->mailbox, "only of this one")->type_name("NAME");
    command->add_option("--limit", options->limit, "so many (50)")->type_name("N")->check(CLI::PositiveNumber);
    command->callback([&context, options] { context.status = list(context, *options); });
    return std::pair(command, options);
  };
  const auto [list, of_list] = add("list", "the newest messages");
  list->add_option("--query", of_list->query, "only those that the search finds")->type_name("QUERY")->expected(1);
  const auto [search, of_search] = add("search", "messages that a query finds: from:ann is:unread invoice");
  search->add_option("QUERY", of_search->query, "as in the search field of the web page")->required();
}

}  // namespace hooksmtpd::ctl::inbox
