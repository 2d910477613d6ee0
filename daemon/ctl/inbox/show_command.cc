// hooksmtpctl inbox show: one message, or one side of it.

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/ctl/inbox/commands.h"
#include "daemon/ctl/inbox/message_text.h"
#include "daemon/ctl/inbox/output_file.h"
#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl::inbox {
namespace {

struct Options {
  std::string id;
  bool raw = false, headers = false, text = false, html = false, parts = false, dialogue = false;
};

// As it is; where a terminal would read it, fit for one.
int print_octets(const Context& context, Connection& connection, const std::string& path) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  OutputFile output("-");
  std::string all;
  const auto done = connection.fetch(path, {}, [&](std::string_view octets) {
    if (!terminal) return output.write(octets);
    all += octets;
    return true;
  });
  if (output.failure()) return fail(context, *output.failure());
  if (!done) return fail(context, done.error());
  print(shown_lines(all));
  return EX_OK;
}

int show(const Context& context, const Options& options) {
  const bool octets = options.raw || options.text || options.html;
  if (octets && context.as_json) {
    return fail(context, {EX_USAGE, "usage", "--raw, --text and --html are no JSON: leave --json out"});
  }
  auto connection = connect(context);
  if (!connection) return fail(context, connection.error());
  const auto id = resolve(*connection, options.id);
  if (!id) return fail(context, id.error());
  const std::string path = "messages/" + *id;
  if (options.raw) return print_octets(context, *connection, path + "/raw");
  if (options.text) return print_octets(context, *connection, path + "/text");
  if (options.html) return print_octets(context, *connection, path + "/html");
  const auto answer = connection->get(options.dialogue ? path + "/dialogue" : path);
  if (!answer) return fail(context, answer.error());
  if (context.as_json) {
    print_json(*answer);
  } else if (options.dialogue) {
    print(dialogue_text(*answer));
  } else if (options.headers) {
    print(headers_text(*answer));
  } else {
    print(options.parts ? parts_text(*answer) : message_text(*answer));
  }
  return EX_OK;
}

}  // namespace

void add_show(CLI::App& inbox, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = inbox.add_subcommand("show", "one message");
  command->add_option("ID", options->id, "its id, the beginning of it, or \"latest\"")->required();
  CLI::Option_group* const side = command->add_option_group("what of it");
  side->add_flag("--raw", options->raw, "octet for octet as it came");
  side->add_flag("--headers", options->headers, "its header, decoded");
  side->add_flag("--text", options->text, "its plain text");
  side->add_flag("--html", options->html, "its HTML, as the web page shows it");
  side->add_flag("--parts", options->parts, "the tree of its parts");
  side->add_flag("--dialogue", options->dialogue, "the session in which it came, with what hooks said");
  side->require_option(0, 1);
  command->callback([&context, options] { context.status = show(context, *options); });
}

}  // namespace hooksmtpd::ctl::inbox
