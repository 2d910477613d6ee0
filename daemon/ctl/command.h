// What every command of hooksmtpctl has: the options that may stand anywhere, how it prints, and its exit status.

#pragma once

#include <expected>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "daemon/ctl/client.h"

namespace CLI {
class App;
}

namespace hooksmtpd::ctl {

struct Context {
  std::string socket;                          // --socket; empty: where it is by default
  bool as_json = false;                        // --json
  std::string inbox_url, inbox_password_file;  // --url and --password-file of the group inbox
  int status = 0;                              // what the command that ran has come to: of sysexits.h, or 1
};

// Each adds its commands to `app`. The one that is parsed runs and sets context.status, which outlives both.
void add_daemon_commands(CLI::App& app, Context& context);  // status, ready, configure, cget, reload, stop
void add_hooks(CLI::App& app, Context& context);            // hooks, hooks restart
void add_trace(CLI::App& app, Context& context);
void add_wait(CLI::App& app, Context& context);
void add_expect(CLI::App& app, Context& context);
void add_inbox(CLI::App& app, Context& context);  // the group `inbox`
// Those of the group `hook`.
void add_record(CLI::App& hook, Context& context);

// The sysexits.h of a daemon's answer.
int status_of(const nlohmann::json& reply);

void print(std::string_view text);
// On one line, in pure ASCII: a terminal sees no control character of anybody's.
void print_json(const nlohmann::json& object);

// Says why it cannot be done, and gives the exit status.
int fail(const Context& context, const Failure& failure);
// The same of an answer that refuses.
int refused(const Context& context, const nlohmann::json& reply);

// One question, one answer.
std::expected<nlohmann::json, Failure> ask_once(const Context& context, const nlohmann::json& request);

// Prints `reply`; for people, as `show` has it. Gives the exit status.
using Show = std::function<std::string(const nlohmann::json& reply)>;
int finish(const Context& context, const nlohmann::json& reply, const Show& show);
int ask(const Context& context, const nlohmann::json& request, const Show& show);

}  // namespace hooksmtpd::ctl
