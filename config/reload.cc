#include "config/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>

#include "config/settings.h"

namespace hooksmtpd::config {
namespace {

enum class Takes { kRestart, kNewProcess, kNothing };

// One part of a hook's configuration, and what its change takes.
struct Part {
  std::string_view key;
  Takes takes;
  bool (*equal)(const Hook& a, const Hook& b);
};

bool same_arguments(const Hook& a, const Hook& b) {
  return std::ranges::equal(a.command | std::views::drop(1), b.command | std::views::drop(1));
}
template <auto kMember>
bool same_in_every_event(const Hook& a, const Hook& b) {
  return std::ranges::equal(a.events, b.events, {}, kMember, kMember);
}
template <auto kMember>
bool same(const Hook& a, const Hook& b) {
  return a.*kMember == b.*kMember;
}

template <auto kMember>
bool same_in_sandbox(const Hook& a, const Hook& b) {
  return a.sandbox.*kMember == b.sandbox.*kMember;
}

// The jail was built around the program, and the environment set, while there was a privilege to do so. Arguments go
// along with each start; of its events and options a hook learns in its hello.
constexpr std::array kParts{
    Part{"command[0]", Takes::kRestart, [](const Hook& a, const Hook& b) { return a.command[0] == b.command[0]; }},
    Part{"command", Takes::kNewProcess, same_arguments},
    Part{"events", Takes::kNewProcess, same_in_every_event<&EventPolicy::subscribed>},
    Part{"timeout", Takes::kNothing, same_in_every_event<&EventPolicy::timeout>},
    Part{"on_failure", Takes::kNothing, same_in_every_event<&EventPolicy::on_failure>},
    Part{"start_timeout", Takes::kNothing, same<&Hook::start_timeout>},
    Part{"instances", Takes::kRestart, same<&Hook::instances>},
    Part{"stores", Takes::kNothing, same<&Hook::stores>},
    Part{"line_buffer", Takes::kNewProcess, same<&Hook::line_buffer>},
    Part{"reload_on_change", Takes::kRestart, same<&Hook::reload_on_change>},
    Part{"options", Takes::kNewProcess, same<&Hook::options>},
    Part{"environment", Takes::kRestart, same<&Hook::environment>},
    Part{"sandbox.user", Takes::kRestart,
         [](const Hook& a, const Hook& b) { return a.sandbox.user == b.sandbox.user; }},
    Part{"sandbox.network", Takes::kRestart,
         [](const Hook& a, const Hook& b) { return a.sandbox.network == b.sandbox.network; }},
    Part{"sandbox.listen", Takes::kRestart,
         [](const Hook& a, const Hook& b) { return a.sandbox.listen == b.sandbox.listen; }},
    Part{"sandbox.read", Takes::kRestart,
         [](const Hook& a, const Hook& b) { return a.sandbox.read == b.sandbox.read; }},
    Part{"sandbox.write", Takes::kRestart, same_in_sandbox<&Sandbox::write>},
    Part{"sandbox.memory", Takes::kRestart, same_in_sandbox<&Sandbox::memory>},
    Part{"sandbox.processes", Takes::kRestart, same_in_sandbox<&Sandbox::processes>},
    Part{"sandbox.cpu", Takes::kRestart, same_in_sandbox<&Sandbox::cpu>},
    Part{"sandbox.files", Takes::kRestart, same_in_sandbox<&Sandbox::files>},
};

// Calls pair(old, new) for what is on both sides; reports what is on one side only, and another order.
template <class Thing, class Pair>
void match(std::string_view what, const std::vector<Thing>& running, const std::vector<Thing>& wanted, Changes& changes,
           Pair pair) {
  const std::size_t restarts = changes.restart_needed.size();
  for (const Thing& old : running) {
    if (std::ranges::find(wanted, old.name, &Thing::name) == wanted.end()) {
      changes.restart_needed.push_back(fmt::format("{}.{} (removed)", what, old.name));
    }
  }
  for (const Thing& now : wanted) {
    const auto old = std::ranges::find(running, now.name, &Thing::name);
    if (old != running.end()) {
      pair(*old, now);
    } else {
      changes.restart_needed.push_back(fmt::format("{}.{} (new)", what, now.name));
    }
  }
  // Processes and listeners are numbered in their order.
  if (changes.restart_needed.size() == restarts &&
      !std::ranges::equal(running, wanted, {}, &Thing::name, &Thing::name)) {
    changes.restart_needed.push_back(fmt::format("{} (order)", what));
  }
}

struct ListenerPart {
  std::string_view key;
  Takes takes;
  bool (*equal)(const Listener& a, const Listener& b);
};
template <auto kMember>
bool same_listener(const Listener& a, const Listener& b) {
  return a.*kMember == b.*kMember;
}
constexpr std::array kListenerParts{
    ListenerPart{"address", Takes::kRestart, same_listener<&Listener::address>},
    ListenerPart{"protocol", Takes::kRestart, same_listener<&Listener::protocol>},
    ListenerPart{"socket_mode", Takes::kRestart, same_listener<&Listener::socket_mode>},
    ListenerPart{"hooks", Takes::kNothing, same_listener<&Listener::hooks>},
    ListenerPart{"hide", Takes::kNothing, same_listener<&Listener::hide>},
    ListenerPart{"add", Takes::kNothing, same_listener<&Listener::add>},
    ListenerPart{"lenient", Takes::kNothing, same_listener<&Listener::lenient>},
    ListenerPart{"proxy_protocol", Takes::kNothing, same_listener<&Listener::proxy_protocol>},
    ListenerPart{"xclient", Takes::kNothing, same_listener<&Listener::xclient>},
};

void compare_listeners(const Listener& old, const Listener& now, Keyholder keyholder, Changes& changes) {
  for (const ListenerPart& part : kListenerParts) {
    if (part.equal(old, now)) continue;
    (part.takes == Takes::kRestart ? changes.restart_needed : changes.reloadable)
        .push_back(fmt::format("listener.{}.{}", now.name, part.key));
  }
  const auto value = [](const Listener& listener, std::string_view name) {
    const auto found = listener.own.find(std::string(name));
    return found == listener.own.end() ? std::string_view() : std::string_view(found->second);
  };
  for (const Setting& setting : settings()) {
    if (value(old, setting.name) == value(now, setting.name)) continue;
    const bool is_tls = setting.name == "tls.mode";
    (is_tls && keyholder == Keyholder::kMissing ? changes.restart_needed : changes.reloadable)
        .push_back(fmt::format("listener.{}.{}", now.name, is_tls ? "tls" : setting.name));
  }
}

// What stands in files of the same name, and in tables that are no settings.
void compare_tls(const Tls& old, const Tls& now, Changes& changes) {
  const auto say = [&](std::string_view key) {
    if (std::ranges::find(changes.reloadable, key) == changes.reloadable.end()) changes.reloadable.emplace_back(key);
  };
  const auto first_text = [](const Tls& tls) {
    return tls.certificates.empty() ? std::string_view() : std::string_view(tls.certificates.front().chain.text);
  };
  const auto same = [](const Certificate& a, const Certificate& b) {
    return a.chain == b.chain && a.key == b.key && a.key_password_file == b.key_password_file;
  };
  if (first_text(old) != first_text(now)) say("tls.certificate");
  if (!std::ranges::equal(old.certificates | std::views::drop(1), now.certificates | std::views::drop(1), same)) {
    say("tls.sni");
  }
  if (old.authorities != now.authorities) say(now.ca_file.empty() ? "tls.ca_dir" : "tls.ca_file");
}

}  // namespace

Changes compare(const Config& running, const Config& wanted) {
  return compare(running, wanted, uses_tls(running) ? Keyholder::kThere : Keyholder::kMissing);
}

Changes compare(const Config& running, const Config& wanted, Keyholder there) {
  Changes changes;
  const Keyholder keyholder = uses_tls(wanted) ? there : Keyholder::kThere;  // nobody misses it
  for (const Setting& setting : settings()) {
    if (setting.get(running) == setting.get(wanted)) continue;
    const bool needs_keyholder = setting.name == "tls.mode" && keyholder == Keyholder::kMissing;
    (setting.live && !needs_keyholder ? changes.reloadable : changes.restart_needed).emplace_back(setting.name);
  }
  compare_tls(running.tls, wanted.tls, changes);
  if (running.auth.passwords != wanted.auth.passwords && running.auth.password_file == wanted.auth.password_file) {
    changes.reloadable.emplace_back("auth.passwords");
  }
  match("listener", running.listeners, wanted.listeners, changes,
        [&](const Listener& old, const Listener& now) { compare_listeners(old, now, keyholder, changes); });
  match("hook", running.hooks, wanted.hooks, changes, [&](const Hook& old, const Hook& now) {
    bool new_process = false;
    for (const Part& part : kParts) {
      if (part.equal(old, now)) continue;
      (part.takes == Takes::kRestart ? changes.restart_needed : changes.reloadable)
          .push_back(fmt::format("hook.{}.{}", now.name, part.key));
      new_process |= part.takes == Takes::kNewProcess;
    }
    if (new_process) changes.hooks_to_restart.push_back(static_cast<std::size_t>(&now - wanted.hooks.data()));
  });
  return changes;
}

}  // namespace hooksmtpd::config
