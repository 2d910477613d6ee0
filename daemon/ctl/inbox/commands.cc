#include "daemon/ctl/inbox/commands.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "daemon/ctl/inbox/message_text.h"
#include "daemon/ctl/member.h"
#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl {
namespace inbox {
namespace {

using nlohmann::json;

constexpr int kNotFound = 1;

bool is_hexadecimal(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::expected<Connection, Failure> connect(const Context& context) {
  auto place = find_place(context);
  if (!place) return std::unexpected(place.error());
  return Connection(*std::move(place));
}

std::expected<std::string, Failure> resolve(Connection& connection, const std::string& id) {
  const bool latest = id == "latest";
  if (!latest && !is_hexadecimal(id)) {
    return std::unexpected(
        Failure{EX_USAGE, "usage", fmt::format("\"{}\" is no id: hexadecimal digits, or \"latest\"", shown(id))});
  }
  const auto found = connection.get("messages", {{"query", latest ? "" : "id:" + id}, {"limit", latest ? "1" : "2"}});
  if (!found) return std::unexpected(found.error());
  const auto messages = messages_of(*found);
  if (messages.size() == 1) return string_member(messages.front(), "id");
  if (messages.empty()) {
    return std::unexpected(
        Failure{kNotFound, "not-found",
                latest ? "there is no message yet" : fmt::format("there is no message whose id begins with {}", id)});
  }
  return std::unexpected(
      Failure{EX_USAGE, "usage", fmt::format("several messages have an id that begins with {}: say more of it", id)});
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

}  // namespace inbox

void add_inbox(CLI::App& app, Context& context) {
  CLI::App* const group = app.add_subcommand("inbox", "the mail that the inbox keeps");
  group->require_subcommand(1);
  group->add_option("--url", context.inbox_url, "of the inbox; by default that of the running daemon")
      ->type_name("URL");
  group->add_option("--password-file", context.inbox_password_file, "its first line is the inbox's password")
      ->type_name("PATH");
  inbox::add_list(*group, context);
  inbox::add_show(*group, context);
  inbox::add_wait(*group, context);
  inbox::add_delete(*group, context);
  inbox::add_export(*group, context);
}

}  // namespace hooksmtpd::ctl
