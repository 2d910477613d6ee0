#include "config/config.h"

#include <algorithm>

namespace hooksmtpd::config {
namespace {

// By HookEvent, as the protocol spells them.
constexpr std::array<std::string_view, kHookEvents> kNames{"validate_host", "validate_sender", "validate_recipient",
                                                           "deliver", "disconnect"};

}  // namespace

std::string_view to_string(HookEvent event) { return kNames[static_cast<std::size_t>(event)]; }

std::optional<HookEvent> parse_hook_event(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<HookEvent>(found - kNames.begin());
}

std::array<EventPolicy, kHookEvents> default_events() {
  std::array<EventPolicy, kHookEvents> events{};
  events[static_cast<std::size_t>(HookEvent::kDeliver)].timeout = std::chrono::seconds(60);
  return events;
}

}  // namespace hooksmtpd::config
