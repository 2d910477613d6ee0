// hooksmtpctl inbox delete: what is gone stays gone, so all of it goes only when that is said.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/ctl/inbox/commands.h"

namespace hooksmtpd::ctl::inbox {
namespace {

using nlohmann::json;

struct Options {
  std::vector<std::string> ids;
  std::string query;
  bool all = false;
};

// What the inbox is asked to do.
std::expected<json, Failure> action(Connection& connection, const Options& options) {
  if (options.all) return json{{"action", "delete"}, {"query", ""}};
  if (!options.query.empty()) return json{{"action", "delete"}, {"query", options.query}};
  json ids = json::array();
  for (const std::string& id : options.ids) {
    auto whole = resolve(connection, id);
    if (!whole) return std::unexpected(whole.error());
    ids.push_back(*std::move(whole));
  }
  return json{{"action", "delete"}, {"ids", std::move(ids)}};
}

int remove(const Context& context, const Options& options) {
  const int ways = (options.ids.empty() ? 0 : 1) + (options.query.empty() ? 0 : 1) + (options.all ? 1 : 0);
  if (ways != 1) return fail(context, {EX_USAGE, "usage", "delete takes ids, or --query, or --all"});
  auto connection = connect(context);
  if (!connection) return fail(context, connection.error());
  const auto asked = action(*connection, options);
  if (!asked) return fail(context, asked.error());
  const auto answer = connection->post("messages/actions", *asked);
  if (!answer) return fail(context, answer.error());
  const std::size_t count = answer->value("count", std::size_t{0});
  if (context.as_json) {
    print_json({{"ok", true}, {"count", count}});
  } else {
    print(fmt::format("deleted: {}\n", count));
  }
  return EX_OK;
}

}  // namespace

void add_delete(CLI::App& inbox, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = inbox.add_subcommand("delete", "delete messages; nothing is asked");
  command->add_option("ID", options->ids, "as of show");
  command->add_option("--query", options->query, "all that the search finds")->type_name("QUERY");
  command->add_flag("--all", options->all, "every message");
  command->callback([&context, options] { context.status = remove(context, *options); });
}

}  // namespace hooksmtpd::ctl::inbox
