// hooksmtpctl hook test: a hook against the golden requests, or against cases of its author.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "config/spelling.h"
#include "daemon/ctl/hook/commands.h"
#include "daemon/ctl/hook/configured.h"
#include "daemon/ctl/hook/examination.h"
#include "daemon/ctl/hook/materials.h"
#include "daemon/ctl/hook/places.h"
#include "daemon/ctl/hook/report.h"

namespace hooksmtpd::ctl {
namespace {

struct Options {
  std::vector<std::string> command;
  std::string cases;
  std::vector<std::string> events;
  std::string timeout = "10s";
  std::string options;  // empty: those of the configuration with `sandbox`, else none
  std::string sandbox;  // the name of a configured hook: instead of a command
  std::string config;
};

// The configured hook, locked in as the daemon would; it sees `files` beside what it always sees.
std::vector<std::string> locked_in(const Options& options, const std::filesystem::path& files) {
  std::vector<std::string> command{daemon_program().string(), "run-hook", options.sandbox, "--read", files.string()};
  if (!options.config.empty()) command.insert(command.end(), {"--config", options.config});
  return command;
}

// What hello says that it is asked. Not `auth`, unless somebody has named it: whoever says yes to everything without
// looking must not be asked it, and programs that cannot tell refuse to be.
std::expected<std::vector<hook::Event>, std::string> events_for(const Options& options, const std::vector<Case>& cases,
                                                                const std::optional<ConfiguredHook>& configured) {
  std::vector<hook::Event> events;
  for (const std::string& name : options.events) {
    const auto event = hook::parse_event(name);
    if (!event || *event == hook::Event::kHello) return std::unexpected(fmt::format("--events: no event \"{}\"", name));
    events.push_back(*event);
  }
  if (!events.empty()) return events;
  if (!options.cases.empty()) return events_of(cases);
  if (configured) return configured->events;
  events = events_of(cases);
  std::erase(events, hook::Event::kAuth);
  return events;
}

int run(const Context& context, const Options& options) {
  if (options.command.empty() == options.sandbox.empty()) {
    return fail(context, {EX_USAGE, "usage", "hook test: which hook? COMMAND..., or --sandbox NAME"});
  }
  const auto timeout = config::parse_duration(options.timeout, config::Milliseconds(1), std::chrono::hours(1));
  if (!timeout) return fail(context, {EX_USAGE, "usage", "--timeout " + timeout.error()});
  if (!options.options.empty() && !nlohmann::json::parse(options.options, nullptr, false).is_object()) {
    return fail(context, {EX_USAGE, "usage", "--options must be a JSON object"});
  }
  auto cases = options.cases.empty() ? golden_cases() : read_cases(options.cases);
  if (!cases) return fail(context, {EX_NOINPUT, "usage", cases.error()});
  const bool locked = !options.sandbox.empty();
  std::optional<ConfiguredHook> configured;
  if (locked) {
    auto found = configured_hook(options.sandbox, options.config);
    if (!found) return fail(context, {EX_CONFIG, "usage", found.error()});
    configured = *std::move(found);
  }
  const auto events = events_for(options, *cases, configured);
  if (!events) return fail(context, {EX_USAGE, "usage", events.error()});
  if (options.cases.empty() && (configured || !options.events.empty())) {
    std::erase_if(*cases, [&](const Case& one) { return std::ranges::find(*events, one.event) == events->end(); });
  }

  using enum TemporaryFolder::Readers;
  const TemporaryFolder state, files(locked ? kEverybody : kOurselves);
  const std::vector<std::string> command = locked ? locked_in(options, files.path()) : anywhere(options.command);
  const ExaminationSettings settings{.trial = {.command = command,
                                               .name = locked ? options.sandbox : name_of(command),
                                               .state = state.path(),
                                               .sdk = sdk_folder(),
                                               .explain = configured ? configured->explain : nullptr,
                                               .own_environment = locked},
                                     .files = files.path(),
                                     .timeout = *timeout,
                                     .options = !options.options.empty() ? options.options
                                                : configured             ? configured->options
                                                                         : "{}",
                                     .events = *events};
  try {
    const Examined examined = examine(settings, *cases);
    context.as_json ? print(to_json(examined).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n")
                    : print(to_text(examined));
    return examined.findings.empty() ? EX_OK : 1;
  } catch (const std::system_error& error) {
    return fail(context, {EX_UNAVAILABLE, "not-started", error.what()});
  }
}

}  // namespace

void add_hook_test(CLI::App& group, Context& context) {
  CLI::App* const test = group.add_subcommand("test", "ask a hook everything, and say what is wrong with it");
  const auto options = std::make_shared<Options>();
  test->add_option("--cases", options->cases, "own cases, instead of the golden requests")->type_name("FILE|FOLDER");
  test->add_option("--sandbox", options->sandbox, "a configured hook, locked in as the daemon would")
      ->type_name("NAME");
  test->add_option("--config", options->config, "the configuration that has it")->type_name("FILE");
  test->add_option("--events", options->events, "what hello says that it is asked, and nothing else")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("EVENT,...");
  test->add_option("--timeout", options->timeout, "how long an answer may take")->type_name("10s");
  test->add_option("--options", options->options, "what hello says of the hook's options")->type_name("JSON");
  test->add_flag("--json", context.as_json, "print the report as one line of JSON");
  test->prefix_command();  // what comes behind the hook's program is the hook's
  test->fallthrough(false);
  test->footer("Usage: hooksmtpctl hook test [OPTIONS] COMMAND...");
  test->callback([&context, options, test] {
    options->command = test->remaining();
    if (!options->command.empty() && options->command.front() == "--") options->command.erase(options->command.begin());
    context.status = run(context, *options);
  });
}

}  // namespace hooksmtpd::ctl
