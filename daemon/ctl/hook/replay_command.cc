// hooksmtpctl hook replay: a recording against another hook, or the same after a change. What differs is shown.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "config/spelling.h"
#include "daemon/ctl/hook/commands.h"
#include "daemon/ctl/hook/examination.h"
#include "daemon/ctl/hook/materials.h"
#include "daemon/ctl/hook/places.h"
#include "daemon/ctl/hook/recording.h"
#include "daemon/ctl/hook/verdict_json.h"
#include "proto/hook/printable.h"

namespace hooksmtpd::ctl {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string file, hook;
  std::vector<std::string> command;
  std::string timeout = "10s";
};

struct Difference {
  std::string name, before, now;
};

// What a line of a recording says, in the same words as an answer of now.
std::string verdict_of(const std::optional<std::string>& line) {
  if (!line) return "no answer";
  const auto reply = hook::parse_reply(*line, hook::Speaker::kMimeHook);
  if (!reply) return fmt::format("no reply: {}", hook::printable(*line, 80));
  return to_text({.id = 0,
                  .event = {},
                  .verdict = reply->verdict,
                  .delay = reply->delay,
                  .notes = reply->notes,
                  .mime = reply->mime});
}

std::vector<Case> cases_of(const Recording& recording) {
  std::vector<Case> cases;
  for (const Recorded& recorded : recording.requests) cases.push_back(recorded.one);
  return cases;
}

// What an event's reply decides nothing about is left out.
std::vector<Difference> compare(const Recording& recording, const Examined& examined) {
  std::vector<Difference> differences;
  for (std::size_t i = 0; i < recording.requests.size(); ++i) {
    const Recorded& recorded = recording.requests[i];
    if (!hook::verdict_counts(recorded.one.event)) continue;
    const bool asked = i < examined.cases.size() && examined.cases[i].answer.has_value();
    const std::string before = verdict_of(recorded.reply),
                      now = asked ? to_text(*examined.cases[i].answer) : "no answer";
    if (before != now) differences.push_back({.name = recorded.one.name, .before = before, .now = now});
  }
  return differences;
}

std::string show(const Recording& recording, const Examined& examined, const std::vector<Difference>& differences) {
  std::string text;
  for (const auto& [name, before, now] : differences) text += fmt::format("{}\n  - {}\n  + {}\n", name, before, now);
  for (const Finding& finding : examined.findings) {
    text += fmt::format("{}: {}: {}\n", finding.kind, hook::printable(finding.where, 40), finding.text);
  }
  text += fmt::format("{} of {} verdicts differ", differences.size(), recording.requests.size());
  if (recording.left_out > 0)
    text += fmt::format("; {} requests (auth, cancel) cannot be replayed", recording.left_out);
  text += "\n";
  if (recording.without_message > 0) {
    text += fmt::format("{} messages were not recorded, and a small one took their place: hook record --messages\n",
                        recording.without_message);
  }
  return text;
}

Json to_json(const Recording& recording, const Examined& examined, const std::vector<Difference>& differences) {
  Json json{{"ok", differences.empty()},      {"requests", recording.requests.size()},
            {"left_out", recording.left_out}, {"without_message", recording.without_message},
            {"differences", Json::array()},   {"findings", Json::array()}};
  for (const auto& [name, before, now] : differences) {
    json["differences"].push_back({{"request", name}, {"before", before}, {"now", now}});
  }
  for (const Finding& finding : examined.findings) {
    json["findings"].push_back({{"kind", finding.kind}, {"where", finding.where}, {"text", finding.text}});
  }
  return json;
}

int run(const Context& context, const Options& options) {
  if (options.command.empty()) return fail(context, {EX_USAGE, "usage", "hook replay: which hook? FILE COMMAND..."});
  const auto timeout = config::parse_duration(options.timeout, config::Milliseconds(1), std::chrono::hours(1));
  if (!timeout) return fail(context, {EX_USAGE, "usage", "--timeout " + timeout.error()});
  const auto recording = read_recording(options.file, options.hook);
  if (!recording) return fail(context, {EX_NOINPUT, "recording", recording.error()});

  const TemporaryFolder state, files;
  const std::vector<std::string> command = anywhere(options.command);
  const std::vector<Case> cases = cases_of(*recording);
  const ExaminationSettings settings{
      .trial = {.command = command, .name = name_of(command), .state = state.path(), .sdk = sdk_folder()},
      .files = files.path(),
      .timeout = *timeout,
      .options = recording->options,
      .events = events_of(cases)};
  try {
    const Examined examined = replay(settings, cases);
    const auto differences = compare(*recording, examined);
    print(context.as_json ? to_json(*recording, examined, differences).dump(-1, ' ', true) + "\n"
                          : show(*recording, examined, differences));
    return differences.empty() ? EX_OK : 1;
  } catch (const std::system_error& error) {
    return fail(context, {EX_UNAVAILABLE, "not-started", error.what()});
  }
}

}  // namespace

void add_hook_replay(CLI::App& group, Context& context) {
  CLI::App* const replayed = group.add_subcommand("replay", "ask a hook what another was asked, and show what differs");
  const auto options = std::make_shared<Options>();
  replayed->add_option("FILE", options->file, "what hook record wrote")->required();
  replayed->add_option("--hook", options->hook, "which, of several in the file")->type_name("NAME");
  replayed->add_option("--timeout", options->timeout, "how long an answer may take")->type_name("10s");
  replayed->add_flag("--json", context.as_json, "print what differs as one line of JSON");
  replayed->prefix_command();
  replayed->fallthrough(false);
  replayed->footer("Usage: hooksmtpctl hook replay [OPTIONS] FILE COMMAND...");
  replayed->callback([&context, options, replayed] {
    options->command = replayed->remaining();
    if (!options->command.empty() && options->command.front() == "--") options->command.erase(options->command.begin());
    context.status = run(context, *options);
  });
}

}  // namespace hooksmtpd::ctl
