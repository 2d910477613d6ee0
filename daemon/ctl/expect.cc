// hooksmtpctl expect: until a session has gone as a pattern file says.

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl/command.h"
#include "daemon/ctl/entry_text.h"
#include "daemon/ctl/listening.h"
#include "daemon/ctl/member.h"
#include "daemon/ctl/pattern.h"
#include "daemon/ctl/terminal_text.h"
#include "daemon/ctl/waiting.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;

constexpr int kNotFound = 1;
constexpr std::size_t kMaxLines = 10'000;  // of a session that are compared

struct Options {
  bool cursor = false;
  std::string file, since;
  Waiting waiting{};
};

std::expected<Pattern, Failure> read_pattern(const std::string& file) {
  std::ifstream input(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(input), {}};
  if (!input) return std::unexpected(Failure{EX_NOINPUT, "usage", fmt::format("{}: cannot be read", file)});
  auto pattern = Pattern::parse(text);
  if (!pattern) return std::unexpected(Failure{EX_DATAERR, "usage", fmt::format("{}: {}", file, pattern.error())});
  return *std::move(pattern);
}

// The sessions that began since we listen.
class Sessions {
 public:
  explicit Sessions(const Pattern& pattern) : pattern_(pattern) {}

  // True: with this entry a session has ended that matches.
  bool hear(const nlohmann::ordered_json& entry) {
    const std::string what = string_member(entry, "what"), id = string_member(entry, "session");
    if (what == "dropped") incomplete_ = true;
    if (what == "begin") open_.try_emplace(id);
    const auto session = open_.find(id);
    if (session == open_.end()) return false;
    if (what != "end") {
      std::string line = dialogue_line(entry);
      if (pattern_.compares(line) && session->second.size() < kMaxLines) session->second.push_back(std::move(line));
      return false;
    }
    const std::vector<std::string> lines = std::move(session->second);
    open_.erase(session);
    return judge(id, lines);
  }
  void forget_open() { open_.clear(); }
  // Those that are not over yet count, too, where nothing has matched.
  void give_up() {
    for (const auto& [id, lines] : std::exchange(open_, {})) judge(id + ", which is not over", lines);
  }

  const std::string& nearest() const { return nearest_; }  // empty: there was none
  const Pattern::Difference& difference() const { return difference_; }
  bool incomplete() const { return incomplete_; }

 private:
  bool judge(const std::string& id, const std::vector<std::string>& lines) {
    Pattern::Difference difference = pattern_.difference(lines);
    if (nearest_.empty() || difference.lines <= difference_.lines) {
      nearest_ = id;
      difference_ = std::move(difference);
    }
    return difference_.lines == 0 && nearest_ == id;
  }

  const Pattern& pattern_;
  std::map<std::string, std::vector<std::string>> open_{};
  std::string nearest_{};
  Pattern::Difference difference_{};
  bool incomplete_ = false;
};

int not_found(const Context& context, const std::string& error, Sessions& sessions) {
  sessions.give_up();
  if (context.as_json) {
    json reply{{"ok", false}, {"kind", "not-found"}, {"error", error}};
    if (!sessions.nearest().empty()) {
      reply["nearest"] = sessions.nearest();
      reply["difference"] = sessions.difference().text;
    }
    print_json(reply);
  }
  fmt::print(stderr, "hooksmtpctl: {}\n", error);
  if (sessions.incomplete()) fmt::print(stderr, "entries were dropped: there was more than could be read in time\n");
  if (sessions.nearest().empty()) {
    fmt::print(stderr, "there was no session\n");
    return kNotFound;
  }
  fmt::print(stderr, "the nearest session is {} (- is missing, + is too much, . stands for ...):\n",
             shown(sessions.nearest()));
  for (const std::string& line : sessions.difference().text) fmt::print(stderr, "{}\n", shown(line));
  return kNotFound;
}

int matched(const Context& context, const std::string& session) {
  if (context.as_json) {
    print_json({{"ok", true}, {"session", session}});
  } else {
    print(fmt::format("session {} is as expected\n", shown(session)));
  }
  return EX_OK;
}

// From now on sessions are kept, for whoever comes with this cursor.
int print_cursor(const Context& context) {
  return ask(context, {{"command", "trace"}, {"since", ""}},
             [](const json& reply) { return string_member(reply, "cursor") + "\n"; });
}

std::string_view worker_of(std::string_view cursor) { return cursor.substr(0, cursor.rfind('-')); }

void tell_missed(const std::string& since, const json& greeting) {
  const auto missed = greeting.find("missed");
  if (worker_of(since) != worker_of(string_member(greeting, "cursor"))) {
    fmt::print(stderr,
               "hooksmtpctl: the worker was started anew since the cursor: sessions before that are forgotten\n");
  } else if (missed != greeting.end() && *missed != 0) {
    fmt::print(stderr, "hooksmtpctl: {} lines since the cursor are forgotten already\n", missed->dump());
  }
}

int expect(const Context& context, const Options& options) {
  if (options.cursor) return print_cursor(context);
  if (options.file.empty()) return fail(context, {EX_USAGE, "usage", "expect: which FILE?"});
  const auto pattern = read_pattern(options.file);
  if (!pattern) return fail(context, pattern.error());
  const auto deadline = options.waiting.deadline();
  if (!deadline) return fail(context, deadline.error());
  json request{{"command", "trace"}, {"what", {"session", "client", "server", "reply"}}};
  if (!options.since.empty()) request["since"] = options.since;
  auto listening = Listening::start(context.socket, request);
  if (!listening) return fail(context, listening.error());
  if (!options.since.empty()) tell_missed(options.since, listening->greeting());
  if (const auto run = options.waiting.begin(*listening); !run) return fail(context, run.error());

  Sessions sessions(*pattern);
  while (true) {
    const auto event = listening->next(*deadline);
    if (!event) return fail(context, event.error());
    if (*event == Listening::Event::kTime) {
      return not_found(context, fmt::format("no such session within {}", options.waiting.timeout), sessions);
    }
    if (*event == Listening::Event::kAgain) sessions.forget_open();
    const bool found = *event == Listening::Event::kEntry && sessions.hear(listening->entry());
    if (const std::string failure = command_failure(*listening); !found && !failure.empty()) {
      return not_found(context, failure, sessions);
    }
    if (!found) continue;
    const auto failure = let_command_end(*listening, *deadline);
    if (!failure) return fail(context, failure.error());
    if (failure->empty()) return matched(context, sessions.nearest());
    return fail(context, {kNotFound, "command", *failure});
  }
}

}  // namespace

void add_expect(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const expect_app = app.add_subcommand("expect", "succeed when a session has gone as a file says");
  expect_app->add_option("FILE", options->file, "lines C: ..., S: ..., H: hook event action; * and ...");
  expect_app->add_flag("--cursor", options->cursor, "print where the next session will stand, and end");
  expect_app->add_option("--since", options->since, "also sessions that began behind this cursor")->type_name("CURSOR");
  options->waiting.add_timeout_to(*expect_app);
  options->waiting.add_command_to(*expect_app);
  expect_app->callback([&context, options] { context.status = expect(context, *options); });
}

}  // namespace hooksmtpd::ctl
