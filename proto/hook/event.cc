#include "proto/hook/event.h"

#include <algorithm>
#include <array>

namespace hooksmtpd::hook {
namespace {

constexpr std::array<std::string_view, kEvents> kNames = {
    "hello", "validate_host", "helo",         "starttls", "auth",  "validate_sender", "validate_recipient",
    "data",  "deliver",       "deliver_mime", "command",  "reset", "disconnect",      "cancel"};
static_assert(kNames.size() == static_cast<std::size_t>(Event::kCancel) + 1);

}  // namespace

std::string_view to_string(Event event) { return kNames[static_cast<std::size_t>(event)]; }

std::optional<Event> parse_event(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Event>(found - kNames.begin());
}

bool verdict_counts(Event event) {
  return event != Event::kHello && event != Event::kReset && event != Event::kDisconnect && event != Event::kCancel;
}

}  // namespace hooksmtpd::hook
