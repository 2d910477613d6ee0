#include "config/advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/address.h"
#include "config/spelling.h"

namespace hooksmtpd::config {
namespace {

bool delivers(const Hook& hook) { return hook.on(HookEvent::kDeliver).subscribed; }

class Advice {
 public:
  void listeners(const Config& config) {
    for (const Listener& listener : config.listeners) {
      for (const std::string& text : listener.address) {
        if (is_loopback(*parse_address(text))) continue;
        say(Severity::kInfo, listener.source,
            fmt::format("listener '{}' on {} can be reached from other machines", listener.name, text));
      }
    }
  }

  void sizes(const Config& config) {
    if (config.limits.message_size <= config.spool_size) return;
    say(Severity::kWarning, {},
        fmt::format("limits.message_size ({}) is more than spool_size ({}) can hold",
                    size_text(config.limits.message_size), size_text(config.spool_size)));
  }

  void storage(const Config& config) {
    for (const Hook& hook : config.hooks) {
      if (!hook.stores || delivers(hook)) continue;
      say(Severity::kWarning, hook.source,
          fmt::format("hook '{}' has stores = true, but its events do not name 'deliver'", hook.name));
    }
    if (std::ranges::any_of(config.hooks, delivers)) return;
    say(Severity::kWarning, {}, "no hook has the event 'deliver': mail is accepted and thrown away");
  }

  // Hooks are asked for `deliver` one after another: when one that judges stands behind one that stores, a message is
  // kept although its sender is told that it was refused. For the other events the order does not matter: all of them
  // are over when the first hook is asked to deliver.
  void order(const std::vector<Hook>& hooks) {
    const auto stores = [](const Hook& hook) { return hook.stores && delivers(hook); };
    const auto judges = [](const Hook& hook) { return !hook.stores && delivers(hook); };
    const auto storing = std::ranges::find_if(hooks, stores);
    if (storing == hooks.end()) return;
    for (auto hook = storing + 1; hook != hooks.end(); ++hook) {
      if (!judges(*hook)) continue;
      say(Severity::kWarning, hook->source,
          fmt::format("hook '{}' can refuse a message that hook '{}' has stored before: put it first", hook->name,
                      storing->name));
    }
  }

  std::vector<Problem> take() { return std::move(found_); }

 private:
  void say(Severity severity, const Source& where, std::string text) {
    found_.push_back({.severity = severity, .where = where, .text = std::move(text)});
  }

  std::vector<Problem> found_;
};

}  // namespace

std::vector<Problem> advice(const Config& config) {
  Advice advice;
  advice.listeners(config);
  advice.sizes(config);
  advice.storage(config);
  advice.order(config.hooks);
  return advice.take();
}

}  // namespace hooksmtpd::config
