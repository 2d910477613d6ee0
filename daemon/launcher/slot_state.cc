#include "daemon/launcher/slot_state.h"

#include <algorithm>

namespace hooksmtpd::launcher {

std::string_view to_string(SlotState state) {
  switch (state) {
    case SlotState::kIdle:
      return "idle";
    case SlotState::kStarting:
      return "starting";
    case SlotState::kRunning:
      return "running";
    case SlotState::kStopping:
      return "stopping";
    case SlotState::kBackingOff:
      return "backing off";
    case SlotState::kFailed:
      return "failed";
    case SlotState::kGone:
      return "gone";
  }
  return "?";
}

std::optional<SlotState> next_state(SlotState state, SlotEvent event) {
  const auto* rule =
      std::ranges::find_if(kSlotRules, [&](const SlotRule& one) { return one.from == state && one.event == event; });
  if (rule == kSlotRules.end()) return std::nullopt;
  return rule->to;
}

std::optional<SlotEvent> event_of(sys::FrameKind kind) {
  switch (kind) {
    case sys::FrameKind::kStarted:
      return SlotEvent::kStarted;
    case sys::FrameKind::kExited:
      return SlotEvent::kExited;
    default:
      return std::nullopt;
  }
}

}  // namespace hooksmtpd::launcher
