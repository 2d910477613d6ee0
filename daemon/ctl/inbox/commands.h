// What the commands of `hooksmtpctl inbox` share: where the inbox is, and how messages are chosen.

#pragma once

#include <expected>
#include <string>
#include <vector>

#include "daemon/ctl/command.h"
#include "daemon/ctl/inbox/connection.h"

namespace CLI {
class App;
}

namespace hooksmtpd::ctl::inbox {

// Each adds its commands to the group `inbox`. `context` outlives it.
void add_list(CLI::App& inbox, Context& context);  // and search
void add_show(CLI::App& inbox, Context& context);
void add_wait(CLI::App& inbox, Context& context);
void add_delete(CLI::App& inbox, Context& context);
void add_export(CLI::App& inbox, Context& context);

std::expected<Connection, Failure> connect(const Context& context);

// The whole id of the one message that `id` means: "latest", an id, or the beginning of one that no other shares.
std::expected<std::string, Failure> resolve(Connection& connection, const std::string& id);

// "to:bob is:unread": a query that the shell has taken apart.
std::string joined(const std::vector<std::string>& words);

}  // namespace hooksmtpd::ctl::inbox
