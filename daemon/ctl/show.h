// The daemon's answers for people. What a hook or a client wrote is escaped: it could move the cursor.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace hooksmtpd::ctl {

std::string show_status(const nlohmann::json& reply);
// Of hooks: a line for each process, with the latency of its answers.
std::string show_hooks(const nlohmann::json& reply);
// Of hooks restart.
std::string show_restarting(const nlohmann::json& reply);
// One setting: its value alone, for scripts. Several: a table with the origin of each.
std::string show_settings(const nlohmann::json& reply, bool one);
// Of reload and configure.
std::string show_changes(const nlohmann::json& reply);
// Of any command that was refused.
std::string show_error(const nlohmann::json& reply);

}  // namespace hooksmtpd::ctl
