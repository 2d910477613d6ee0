// hooksmtpctl inbox export: messages as a file.

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/ctl/inbox/commands.h"
#include "daemon/ctl/inbox/output_file.h"
#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl::inbox {
namespace {

struct Options {
  std::string file, query, mailbox, format;
};

// "x.mbox" is one, "x.eml" is one; all else is a ZIP archive.
std::string format_of(const Options& options) {
  if (!options.format.empty()) return options.format;
  const std::string extension = std::filesystem::path(options.file).extension();
  return extension == ".mbox" || extension == ".eml" ? extension.substr(1) : "zip";
}

int export_messages(const Context& context, const Options& options) {
  if (options.file == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return fail(context,
                {EX_USAGE, "usage", "mail is nothing for a terminal: name a file, or lead the output elsewhere"});
  }
  auto connection = connect(context);
  if (!connection) return fail(context, connection.error());
  OutputFile output(options.file);
  const auto done = connection->fetch(
      "export", {{"format", format_of(options)}, {"query", options.query}, {"mailbox", options.mailbox}},
      [&](std::string_view octets) { return output.write(octets); });
  if (output.failure() || (done && !output.finish())) return fail(context, *output.failure());
  if (!done) {
    Failure failure = done.error();
    if (output.written() > 0) failure.error += fmt::format("; {} is not complete", shown(options.file));
    return fail(context, failure);
  }
  if (options.file == "-") return EX_OK;
  if (context.as_json) {
    print_json({{"ok", true}, {"file", options.file}, {"octets", output.written()}});
  } else {
    print(fmt::format("{}: {} octets\n", shown(options.file), output.written()));
  }
  return EX_OK;
}

}  // namespace

void add_export(CLI::App& inbox, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = inbox.add_subcommand("export", "messages as one file");
  command->add_option("FILE", options->file, "to be written; - is standard output")->required();
  command->add_option("--query", options->query, "those that the search finds; all, without it")->type_name("QUERY");
  command->add_option("--mailbox", options->mailbox, "only of this one")->type_name("NAME");
  command->add_option("--format", options->format, "zip, mbox, or eml for a single one; else as the file is called")
      ->check(CLI::IsMember({"zip", "mbox", "eml"}));
  command->callback([&context, options] { context.status = export_messages(context, *options); });
}

}  // namespace hooksmtpd::ctl::inbox
