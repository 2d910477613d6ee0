#include "config/config.h"

#include <algorithm>
#include <cassert>

#include "config/settings.h"
#include "config/spelling.h"

namespace hooksmtpd::config {
namespace {

// By HookEvent, as the protocol spells them.
constexpr std::array<std::string_view, kHookEvents> kNames{
    "validate_host", "helo",    "starttls", "auth",       "validate_sender", "validate_recipient", "data", "deliver",
    "deliver_mime",  "command", "reset",    "disconnect", "cancel"};
static_assert(kNames.size() == static_cast<std::size_t>(HookEvent::kCancel) + 1);

}  // namespace

std::string_view to_string(HookEvent event) { return kNames[static_cast<std::size_t>(event)]; }

std::optional<HookEvent> parse_hook_event(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<HookEvent>(found - kNames.begin());
}

std::array<EventPolicy, kHookEvents> default_events() {
  std::array<EventPolicy, kHookEvents> events{};
  for (const HookEvent event : {HookEvent::kDeliver, HookEvent::kDeliverMime}) {
    events[static_cast<std::size_t>(event)].timeout = std::chrono::seconds(60);
  }
  return events;
}

std::vector<std::string> Hook::argv() const {
  if (!line_buffer) return command;
  std::vector<std::string> argv{"/usr/bin/stdbuf", "-oL"};
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

bool uses_tls(const Config& config) {
  return std::ranges::any_of(config.listeners, [&](const Listener& listener) {
    const auto own = listener.own.find("tls.mode");
    return own == listener.own.end() ? config.tls.mode != TlsMode::kNone : own->second != to_string(TlsMode::kNone);
  });
}

Config for_listener(const Config& config, const Listener& listener) {
  Config own = config;
  for (const auto& [name, value] : listener.own) {
    const Setting* setting = find_setting(name);
    assert(setting != nullptr && "load() knows the settings of a listener");
    const auto done = setting->set(own, value);
    assert(done && "load() has tried them");
  }
  return own;
}

Config for_keyholder(const Config& config) {
  Config part;
  part.log_level = config.log_level;
  part.tls = config.tls;
  return part;
}

}  // namespace hooksmtpd::config
