// hooksmtpctl hook record: everything that a hook is asked, answers and logs, for hook replay.

#include <fcntl.h>
#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "config/suggest.h"
#include "daemon/ctl/command.h"
#include "daemon/ctl/listening.h"
#include "daemon/ctl/member.h"
#include "daemon/ctl/waiting.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;
using Entry = nlohmann::ordered_json;

constexpr int kCommandFailed = 1;
// What the command has caused, once it is over, is heard within this time: a disconnect that is still to be answered.
constexpr auto kAfterwards = std::chrono::milliseconds(300);

struct Options {
  std::string hook, output;
  bool messages = false;
  Waiting waiting{};
};

// Mail is in it, so it is nobody else's.
std::expected<sys::Fd, Failure> open_output(const std::string& name) {
  sys::Fd file(name.empty() ? ::dup(STDOUT_FILENO)
                            : ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.valid()) return file;
  return std::unexpected(Failure{EX_CANTCREAT, "system", fmt::format("{}: {}", name, sys::errno_text(errno))});
}

bool write_line(const sys::Fd& file, std::string line) {
  line += '\n';
  for (std::string_view left = line; !left.empty();) {
    const ssize_t written = ::write(file.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::expected<void, Failure> check_name(const Context& context, const std::string& name) {
  const auto reply = ask_once(context, {{"command", "hooks"}});
  if (!reply) return std::unexpected(reply.error());
  std::vector<std::string> names;
  for (const json& hook : reply->value("hooks", json::array())) names.push_back(string_member(hook, "name"));
  if (std::ranges::find(names, name) != names.end()) return {};
  const std::vector<std::string_view> known(names.begin(), names.end());
  return std::unexpected(
      Failure{EX_USAGE, "usage", fmt::format("no hook '{}'{}", name, config::did_you_mean(name, known))});
}

int record(const Context& context, const Options& options) {
  if (const auto known = check_name(context, options.hook); !known) return fail(context, known.error());
  const json request{{"command", "trace"},
                     {"hook", options.hook},
                     {"what", {"request", "reply", "stderr", "hook"}},
                     {"messages", options.messages}};
  auto listening = Listening::start(context.socket, request);
  if (!listening) return fail(context, listening.error());
  const auto output = open_output(options.output);
  if (!output) return fail(context, output.error());
  fmt::print(stderr, "hooksmtpctl: recording {}\n", options.hook);
  if (const auto run = options.waiting.begin(*listening); !run) return fail(context, run.error());

  Listening::Deadline deadline;
  while (true) {
    const auto event = listening->next(deadline);
    if (!event) return fail(context, event.error());
    if (*event == Listening::Event::kTime) break;
    if (*event == Listening::Event::kCommandOver) deadline = Listening::Clock::now() + kAfterwards;
    const bool again = *event == Listening::Event::kAgain;
    if (!again && *event != Listening::Event::kEntry) continue;
    const Entry line = again ? Entry{{"from", "daemon"}, {"what", "restarted"}} : listening->entry();
    if (!write_line(*output, line.dump(-1, ' ', /*ensure_ascii=*/true, Entry::error_handler_t::replace))) {
      return fail(context, {EX_IOERR, "system", fmt::format("cannot be written: {}", sys::errno_text(errno))});
    }
  }
  const std::string failure = command_failure(*listening);
  return failure.empty() ? EX_OK : fail(context, {kCommandFailed, "command", failure});
}

}  // namespace

void add_record(CLI::App& hook, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const record_app = hook.add_subcommand("record", "write down what a hook is asked, answers and logs");
  record_app->add_option("NAME", options->hook, "the hook")->required();
  record_app->add_option("--output,-o", options->output, "a file, instead of standard output")->type_name("FILE");
  record_app->add_flag("--messages", options->messages, "with the messages, up to 256 KiB each");
  options->waiting.add_command_to(*record_app);
  record_app->callback([&context, options] { context.status = record(context, *options); });
}

}  // namespace hooksmtpd::ctl
