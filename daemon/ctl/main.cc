// hooksmtpctl: asks the running daemon, through its control socket.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "daemon/ctl/command.h"
#include "daemon/ctl/hook/commands.h"

namespace hooksmtpd::ctl {
namespace {

int run(int argc, char** argv) {
  Context context;
  CLI::App app("Asks the running hooksmtpd.", "hooksmtpctl");
  app.set_version_flag("--version", "hooksmtpctl " HOOKSMTPD_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // so that --json and --socket may stand anywhere
  app.add_flag("--json", context.as_json, "print the daemon's answer as one line of JSON");
  app.add_option("--socket", context.socket, "the daemon's control socket")->type_name("PATH");
  add_daemon_commands(app, context);
  add_hooks(app, context);
  add_trace(app, context);
  add_wait(app, context);
  add_expect(app, context);
  add_inbox(app, context);
  CLI::App* const hook = app.add_subcommand("hook", "write, try and record hooks");
  hook->require_subcommand(1);
  add_hook_new(*hook, context);
  add_hook_test(*hook, context);
  add_record(*hook, context);
  add_hook_replay(*hook, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  return context.status;
}

}  // namespace
}  // namespace hooksmtpd::ctl

int main(int argc, char** argv) try { return hooksmtpd::ctl::run(argc, argv); } catch (const std::exception& error) {
  fmt::print(stderr, "hooksmtpctl: {}\n", error.what());
  return EX_SOFTWARE;
}
