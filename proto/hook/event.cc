#include "proto/hook/event.h"

#include <algorithm>
#include <array>

namespace hooksmtpd::hook {
namespace {

constexpr std::array<std::string_view, 8> kNames = {
    "hello", "validate_host", "auth", "validate_sender", "validate_recipient", "deliver", "reset", "disconnect"};
static_assert(kNames.size() == static_cast<std::size_t>(Event::kDisconnect) + 1);

}  // namespace

std::string_view to_string(Event event) { return kNames[static_cast<std::size_t>(event)]; }

std::optional<Event> parse_event(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Event>(found - kNames.begin());
}

bool verdict_counts(Event event) {
  return event != Event::kHello && event != Event::kReset && event != Event::kDisconnect;
}

}  // namespace hooksmtpd::hook
