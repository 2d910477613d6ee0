// The inbox: a hook that keeps every message and shows it in a web page. A hook like any other, jailed like any other,
// without a network: it gets mail on standard input, and the listener of its web page was bound for it outside.

#include <event2/event.h>
#include <fmt/format.h>
#include <gmime/gmime.h>
#include <libxml/parser.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "hooks/inbox/api/context.h"
#include "hooks/inbox/hook/hook.h"
#include "hooks/inbox/hook/pipes.h"
#include "hooks/inbox/http/server.h"
#include "hooks/inbox/store/store.h"

namespace {

using namespace hooksmtpd::inbox;

struct Release {
  void operator()(event_base* base) const { event_base_free(base); }
  void operator()(event* one) const { event_free(one); }
};

std::filesystem::path state_folder() {
  const char* const folder = std::getenv("HOOK_STATE");
  return folder ? folder : ".";
}

// As the daemon tells it to every hook.
DaemonFacts daemon_facts() {
  DaemonFacts facts;
  if (const char* const name = std::getenv("HOOK_HOSTNAME")) facts.hostname = name;
  if (const char* const addresses = std::getenv("HOOK_SMTP")) {
    std::istringstream in(addresses);
    for (std::string one; in >> one;) facts.smtp.push_back(one);
  }
  return facts;
}

// The first line of a file; throws std::runtime_error.
std::string read_password(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string password;
  if (!std::getline(in, password) || password.empty()) {
    throw std::runtime_error(fmt::format("password_file: {} cannot be read, or is empty", file.string()));
  }
  return password;
}

class Inbox {
 public:
  Inbox()
      : base_(event_base_new()),
        wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        pipes_(
            base_.get(), [this](std::string_view line) { hook_.request(line); },
            [this] { event_base_loopbreak(base_.get()); }),
        hook_({.reply = [this](const std::string& line) { pipes_.write(line); },
               .open = [this](const Options& options) { return open(options); }}) {
    on_wakeup_.reset(event_new(
        base_.get(), wakeup_, EV_READ | EV_PERSIST,
        [](evutil_socket_t, short, void* self) { static_cast<Inbox*>(self)->awake(); }, this));
    event_add(on_wakeup_.get(), nullptr);
  }

  void run() { event_base_dispatch(base_.get()); }

 private:
  // At hello. The daemon waits for the answer, and the browsers wait in the backlog until then.
  std::expected<Store*, std::string> open(const Options& options) try {
    options_ = options;
    store_.emplace(state_folder(), options.retention, [this] { eventfd_write(wakeup_, 1); });
    if (!store_->said().empty()) fmt::print(stderr, "<3>{}\n", store_->said());
    context_.emplace(Context{
        .base = base_.get(), .store = *store_, .options = options_, .token = new_id(), .facts = daemon_facts()});
    AccessRules rules{.hosts = options.hosts, .token = context_->token, .password = {}};
    if (!options.password_file.empty()) rules.password = read_password(options.password_file);
    server_.emplace(base_.get(), std::move(rules), [this](const ExchangePtr& exchange) { route(*context_, exchange); });
    return &*store_;
  } catch (const DatabaseError& error) {
    return std::unexpected(fmt::format("cannot open the database in {}: {}", state_folder().string(), error.what()));
  } catch (const std::runtime_error& error) {
    return std::unexpected(error.what());
  }

  void awake() {
    eventfd_t count = 0;
    eventfd_read(wakeup_, &count);
    store_->poll();
  }

  std::unique_ptr<event_base, Release> base_;
  int wakeup_;
  std::unique_ptr<event, Release> on_wakeup_;
  Pipes pipes_;
  Hook hook_;
  Options options_;
  std::optional<Store> store_;
  std::optional<Context> context_;
  std::optional<Server> server_;
};

}  // namespace

int main() try {
  std::signal(SIGPIPE, SIG_IGN);
  g_mime_init();
  xmlInitParser();
  Inbox().run();
  return EX_OK;
} catch (const std::exception& error) {
  fmt::print(stderr, "<3>{}\n", error.what());
  return EX_SOFTWARE;
}
