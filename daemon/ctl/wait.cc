// hooksmtpctl wait: until a message comes that looks as it should.

#include <fmt/format.h>
#include <fnmatch.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl/command.h"
#include "daemon/ctl/listening.h"
#include "daemon/ctl/member.h"
#include "daemon/ctl/subject.h"
#include "daemon/ctl/terminal_text.h"
#include "daemon/ctl/waiting.h"
#include "proto/sasl/base64.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;

constexpr int kNotFound = 1;
constexpr std::size_t kOthersShown = 20;

struct Options {
  bool cursor = false;
  std::string since;
  std::optional<std::string> from, to, subject, listener, user;  // shell patterns
  std::size_t count = 1;
  Waiting waiting{};
};

// Octets that are not UTF-8 have a twin; the charset that they are of, only the decoder may guess.
std::string subject_of(const json& message) {
  const auto octets = sasl::base64_decode(string_member(message, "subject_b64"));
  return decoded_subject(octets && !octets->empty() ? *octets : string_member(message, "subject"));
}

std::vector<std::string> recipients_of(const json& message) {
  std::vector<std::string> all;
  const auto to = message.find("to");
  if (to == message.end() || !to->is_array()) return all;
  for (const json& one : *to) {
    if (const auto* text = one.get_ptr<const std::string*>()) all.push_back(*text);
  }
  return all;
}

bool is_like(const std::string& text, const std::optional<std::string>& glob) {
  return !glob || ::fnmatch(glob->c_str(), text.c_str(), FNM_CASEFOLD) == 0;
}

bool wanted(const Options& options, const json& message) {
  const auto recipients = recipients_of(message);
  return is_like(string_member(message, "from"), options.from) &&
         is_like(string_member(message, "listener"), options.listener) &&
         is_like(string_member(message, "user"), options.user) && is_like(subject_of(message), options.subject) &&
         (!options.to ||
          std::ranges::any_of(recipients, [&](const std::string& to) { return is_like(to, options.to); }));
}

// "a@b.test -> c@d.test, e@f.test: Hello"
std::string line_of(const json& message) {
  std::string to;
  for (const std::string& one : recipients_of(message)) to.append(to.empty() ? "" : ", ").append(one);
  return shown(fmt::format("<{}> -> {}: {}", string_member(message, "from"), to, subject_of(message)));
}

void print_message(const Context& context, json message) {
  if (!context.as_json) return print(fmt::format("{} {}\n", shown(string_member(message, "cursor")), line_of(message)));
  message["subject_text"] = subject_of(message);
  print_json(message);
}

int not_found(const Context& context, const std::string& error, const std::vector<json>& others) {
  if (context.as_json) {
    print_json({{"ok", false}, {"kind", "not-found"}, {"error", error}, {"others", others}});
  }
  fmt::print(stderr, "hooksmtpctl: {}\n", error);
  if (!others.empty()) fmt::print(stderr, "other messages that came:\n");
  for (const json& one : others) fmt::print(stderr, "  {}\n", line_of(one));
  return kNotFound;
}

json request_since(const std::string& cursor) {
  json request{{"command", "messages"}};
  if (!cursor.empty()) request["since"] = cursor;
  return request;
}

int print_cursor(const Context& context) {
  return ask(context, request_since(""), [](const json& reply) { return string_member(reply, "cursor") + "\n"; });
}

void tell_missed(const json& greeting) {
  const auto missed = greeting.find("missed");
  if (missed == greeting.end() || *missed == 0) return;
  fmt::print(stderr, "hooksmtpctl: {} messages since the cursor are forgotten already\n", missed->dump());
}

int wait(const Context& context, const Options& options) {
  if (options.cursor) return print_cursor(context);
  const auto deadline = options.waiting.deadline();
  if (!deadline) return fail(context, deadline.error());
  auto listening = Listening::start(context.socket, request_since(options.since));
  if (!listening) return fail(context, listening.error());
  tell_missed(listening->greeting());
  listening->ask_next_time(request_since(string_member(listening->greeting(), "cursor")));
  if (const auto run = options.waiting.begin(*listening); !run) return fail(context, run.error());

  std::vector<json> others;
  std::size_t left = options.count;
  while (left > 0) {
    const auto event = listening->next(*deadline);
    if (!event) return fail(context, event.error());
    if (*event == Listening::Event::kTime) {
      return not_found(context, fmt::format("no such message within {}", options.waiting.timeout), others);
    }
    if (const std::string failure = command_failure(*listening); !failure.empty()) {
      return not_found(context, failure, others);
    }
    if (*event != Listening::Event::kEntry) continue;
    const json message = listening->entry();
    listening->ask_next_time(request_since(string_member(message, "cursor")));
    if (wanted(options, message)) {
      print_message(context, message);
      --left;
    } else if (others.size() < kOthersShown) {
      others.push_back(message);
    }
  }
  const auto failure = let_command_end(*listening, *deadline);
  if (!failure) return fail(context, failure.error());
  return failure->empty() ? EX_OK : not_found(context, *failure, {});
}

}  // namespace

void add_wait(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const wait_app = app.add_subcommand("wait", "succeed when a message has come");
  wait_app->add_flag("--cursor", options->cursor, "print where the next message will stand, and end");
  wait_app->add_option("--since", options->since, "also what came behind this cursor")->type_name("CURSOR");
  wait_app->add_option("--from", options->from, "the sender; the null sender is ''")->type_name("GLOB");
  wait_app->add_option("--to", options->to, "one of the recipients")->type_name("GLOB");
  wait_app->add_option("--subject", options->subject, "the Subject, decoded")->type_name("GLOB");
  wait_app->add_option("--listener", options->listener, "the listener's name")->type_name("GLOB");
  wait_app->add_option("--user", options->user, "who had authenticated; '' for nobody")->type_name("GLOB");
  wait_app->add_option("--count", options->count, "so many messages (1)")->type_name("N")->check(CLI::PositiveNumber);
  options->waiting.add_timeout_to(*wait_app);
  options->waiting.add_command_to(*wait_app);
  wait_app->callback([&context, options] { context.status = wait(context, *options); });
}

}  // namespace hooksmtpd::ctl
