// What may happen to the child of a keeper, and when: one table. A frame of the keeper that the table does not know in
// the slot's state ends that keeper.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/sys/frame.h"

namespace hooksmtpd::launcher {

enum class SlotState : std::uint8_t {
  kIdle,        // nothing runs, and nothing will until somebody asks for it
  kStarting,    // kStart is out
  kRunning,     // kStarted came
  kStopping,    // kStop is out
  kBackingOff,  // it failed; a timer runs until the next start
  kFailed,      // it failed too often (Backoff); the timer is the one of the next probe
  kGone,        // the keeper is gone: only a restart of the daemon brings the slot back
};
// "idle", "starting", "running", "stopping", "backing off", "failed", "gone".
std::string_view to_string(SlotState state);

enum class SlotEvent : std::uint8_t { kStart, kStop, kBackOff, kGiveUp, kStarted, kExited, kKeeperLost };

struct SlotRule {
  SlotState from;
  SlotEvent event;
  SlotState to;
};

inline constexpr std::array kSlotRules{
    // What we decide.
    SlotRule{SlotState::kIdle, SlotEvent::kStart, SlotState::kStarting},
    SlotRule{SlotState::kIdle, SlotEvent::kBackOff, SlotState::kBackingOff},
    SlotRule{SlotState::kIdle, SlotEvent::kGiveUp, SlotState::kFailed},
    SlotRule{SlotState::kBackingOff, SlotEvent::kStart, SlotState::kStarting},
    SlotRule{SlotState::kBackingOff, SlotEvent::kStop, SlotState::kIdle},
    SlotRule{SlotState::kFailed, SlotEvent::kStart, SlotState::kStarting},
    SlotRule{SlotState::kFailed, SlotEvent::kStop, SlotState::kIdle},
    SlotRule{SlotState::kRunning, SlotEvent::kStop, SlotState::kStopping},
    SlotRule{SlotState::kStopping, SlotEvent::kStop, SlotState::kStopping},  // with less patience
    // What the keeper says.
    SlotRule{SlotState::kStarting, SlotEvent::kStarted, SlotState::kRunning},
    SlotRule{SlotState::kStarting, SlotEvent::kExited, SlotState::kIdle},  // it could not be executed
    SlotRule{SlotState::kRunning, SlotEvent::kExited, SlotState::kIdle},
    SlotRule{SlotState::kStopping, SlotEvent::kExited, SlotState::kIdle},
    // What happens to the keeper.
    SlotRule{SlotState::kIdle, SlotEvent::kKeeperLost, SlotState::kGone},
    SlotRule{SlotState::kStarting, SlotEvent::kKeeperLost, SlotState::kGone},
    SlotRule{SlotState::kRunning, SlotEvent::kKeeperLost, SlotState::kGone},
    SlotRule{SlotState::kStopping, SlotEvent::kKeeperLost, SlotState::kGone},
    SlotRule{SlotState::kBackingOff, SlotEvent::kKeeperLost, SlotState::kGone},
    SlotRule{SlotState::kFailed, SlotEvent::kKeeperLost, SlotState::kGone},
};

// Empty: that must not happen in this state.
std::optional<SlotState> next_state(SlotState state, SlotEvent event);

// What a keeper's frame means. Empty: a keeper in service never sends that. (Its kReport, the first one, was read by
// the launcher.)
std::optional<SlotEvent> event_of(sys::FrameKind kind);

}  // namespace hooksmtpd::launcher
