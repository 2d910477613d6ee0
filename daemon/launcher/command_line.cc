#include "daemon/launcher/command_line.h"

#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace hooksmtpd::launcher {
namespace {

void add_config_options(CLI::App& command, config::Request& request, std::string& file) {
  auto* config = command.add_option("--config", file, "configuration file")->type_name("FILE");
  command.add_flag("--defaults", request.defaults_only, "read no file: the built-in configuration")->excludes(config);
  command
      .add_option("--listen", request.listen, "listen here instead of where the configuration says; may be repeated")
      ->type_name("ADDR:PORT")
      ->allow_extra_args(false);
  command.add_option("--set", request.set, "change one setting; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

}  // namespace

std::expected<CommandLine, int> parse_command_line(int argc, char** argv) {
  CommandLine line;
  std::string file;
  CLI::App app("An SMTP server that asks your programs what to do with each message.", "hooksmtpd");
  app.set_version_flag("--version", "hooksmtpd " HOOKSMTPD_VERSION);
  app.require_subcommand(1);

  CLI::App* run = app.add_subcommand("run", "serve, in the foreground");
  add_config_options(*run, line.request, file);
  run->add_flag("--ephemeral", line.ephemeral, "let the kernel pick every port; print them as one line of JSON");

  CLI::App* check = app.add_subcommand("check-config", "say what is wrong with the configuration; start nothing");
  add_config_options(*check, line.request, file);

  CLI::App* sandbox = app.add_subcommand("check-sandbox", "say which layers of the sandbox this machine gives us");
  sandbox->add_flag("--json", line.json, "as one line of JSON");

  CLI::App* hook = app.add_subcommand("run-hook", "run one configured hook, locked in as the daemon would, by hand");
  hook->add_option("NAME", line.hook, "the hook's name")->required();
  std::vector<std::string> read;
  hook->add_option("--read", read, "a further folder that it sees; may be repeated")
      ->type_name("FOLDER")
      ->allow_extra_args(false);
  add_config_options(*hook, line.request, file);

  CLI::App* tls = app.add_subcommand("tls", "certificates");
  tls->require_subcommand(1);
  CLI::App* init = tls->add_subcommand(
      "init", "make a certificate authority for this machine and a certificate from it, or renew them");
  std::string folder;
  init->add_option("--dir", folder, "where; /etc/hooksmtpd/tls, or ~/.config/hooksmtpd/tls for a plain user")
      ->type_name("DIR");
  init->add_option("--name", line.certificate.hosts, "a further host name or address; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  init->add_flag("--new-ca", line.certificate.new_authority, "a new authority, which everybody has to trust again");

  app.add_subcommand("passwd", "make an entry for the password file");
  app.add_subcommand("sendmail", "hand a message over, as sendmail would");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return std::unexpected(app.exit(error) == 0 ? EX_OK : EX_USAGE);
  }
  if (check->parsed()) line.command = CommandLine::Command::kCheckConfig;
  if (sandbox->parsed()) line.command = CommandLine::Command::kCheckSandbox;
  if (hook->parsed()) line.command = CommandLine::Command::kRunHook;
  if (init->parsed()) line.command = CommandLine::Command::kTlsInit;
  // Absolute: a reload happens in another root and working directory.
  if (!file.empty()) line.request.file = std::filesystem::absolute(file).lexically_normal();
  for (const std::string& one : read) line.read.push_back(std::filesystem::absolute(one).lexically_normal());
  if (!folder.empty()) line.certificate.folder = std::filesystem::absolute(folder).lexically_normal();
  return line;
}

}  // namespace hooksmtpd::launcher
