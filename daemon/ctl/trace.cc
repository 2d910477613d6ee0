// hooksmtpctl trace: what happens, live.

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/ctl/command.h"
#include "daemon/ctl/entry_text.h"
#include "daemon/ctl/listening.h"
#include "daemon/ctl/member.h"
#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;
using Entry = nlohmann::ordered_json;

struct Options {
  std::string client, session, listener, hook;
  bool once = false;
};

enum class Form { kLines, kPlain, kColoured };

// Each line at once, also into a pipe: it is live. False: nobody reads it any more.
bool show_entry(const Entry& entry, Form form) {
  if (form == Form::kLines) {
    // Pure ASCII: what stands in it does no harm on a terminal either.
    print(entry.dump(-1, ' ', /*ensure_ascii=*/true, Entry::error_handler_t::replace) + "\n");
  } else {
    print(entry_text(entry, form == Form::kColoured ? Colours::kOn : Colours::kOff) + "\n");
  }
  return std::fflush(stdout) == 0;
}

// The first session that begins, from its begin to its end.
class OneSession {
 public:
  bool wants(const Entry& entry) {
    const std::string what = string_member(entry, "what"), session = string_member(entry, "session");
    if (session_.empty() && what == "begin") session_ = session;
    if (!session_.empty() && session == session_ && what == "end") over_ = true;
    return session.empty() || session == session_;
  }
  bool over() const { return over_; }

 private:
  std::string session_{};
  bool over_ = false;
};

int trace(const Context& context, const Options& options) {
  json request{{"command", "trace"}};
  for (const auto& [key, value] : {std::pair{"client", &options.client},
                                   {"session", &options.session},
                                   {"listener", &options.listener},
                                   {"hook", &options.hook}}) {
    if (!value->empty()) request[key] = *value;
  }
  auto listening = Listening::start(context.socket, request);
  if (!listening) return fail(context, listening.error());
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const Form form = context.as_json || !terminal ? Form::kLines
                    : colours_on(STDOUT_FILENO)  ? Form::kColoured
                                                 : Form::kPlain;
  fmt::print(stderr, "hooksmtpctl: listening\n");  // from here on nothing is missed
  OneSession one;
  while (true) {
    const auto event = listening->next(std::nullopt);
    if (!event) return fail(context, event.error());
    const bool again = *event == Listening::Event::kAgain;
    const Entry entry = again ? Entry{{"from", "daemon"}, {"what", "restarted"}} : listening->entry();
    if (options.once && !one.wants(entry)) continue;
    if (!show_entry(entry, form) || one.over()) return EX_OK;
  }
}

}  // namespace

void add_trace(CLI::App& app, Context& context) {
  const auto options = std::make_shared<Options>();
  CLI::App* const trace_app = app.add_subcommand("trace", "show sessions, and what hooks are asked and answer, live");
  trace_app->add_option("--client", options->client, "only of this address or network")->type_name("ADDRESS");
  trace_app->add_option("--session", options->session, "only of this session")->type_name("ID");
  trace_app->add_option("--listener", options->listener, "only of sessions with this listener")->type_name("NAME");
  trace_app->add_option("--hook", options->hook, "only what this hook is asked, answers and logs")->type_name("NAME");
  trace_app->add_flag("--once", options->once, "end after one session");
  trace_app->callback([&context, options] { context.status = trace(context, *options); });
}

}  // namespace hooksmtpd::ctl
