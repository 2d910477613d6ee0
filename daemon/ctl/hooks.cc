// hooksmtpctl hooks: how each process of each hook is doing; hooks restart.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/ctl/command.h"
#include "daemon/ctl/show.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;

// "policy" or "policy/2".
int restart(const Context& context, const std::string& which) {
  const std::size_t slash = which.rfind('/');
  json request{{"command", "restart-hook"}, {"hook", which.substr(0, slash)}};
  if (slash != std::string::npos) {
    unsigned instance = 0;
    const char* const end = which.data() + which.size();
    const auto [stopped, error] = std::from_chars(which.data() + slash + 1, end, instance);
    if (error != std::errc() || stopped != end) {
      return fail(context, {EX_USAGE, "usage", "hooks restart: NAME or NAME/INSTANCE, as in policy/2"});
    }
    request["instance"] = instance;
  }
  return ask(context, request, show_restarting);
}

}  // namespace

void add_hooks(CLI::App& app, Context& context) {
  CLI::App* const hooks = app.add_subcommand("hooks", "how each process of each hook is doing");
  hooks->require_subcommand(0, 1);
  const auto which = std::make_shared<std::string>();
  CLI::App* const anew = hooks->add_subcommand("restart", "start a hook anew once it has finished what it was asked");
  anew->add_option("HOOK", *which, "policy, or one of its processes: policy/2")->required();
  anew->callback([&context, which] { context.status = restart(context, *which); });
  const auto list = [&context] { context.status = ask(context, {{"command", "hooks"}}, show_hooks); };
  hooks->add_subcommand("list", "the same as without a word")->callback(list);
  hooks->callback([hooks, list] {
    if (hooks->get_subcommands().empty()) list();
  });
}

}  // namespace hooksmtpd::ctl
