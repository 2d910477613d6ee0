#include "daemon/launcher/slot_state.h"

#include <doctest/doctest.h>

#include <string>

namespace hooksmtpd::launcher {
namespace {

constexpr std::array kStates{SlotState::kIdle,       SlotState::kStarting, SlotState::kRunning, SlotState::kStopping,
                             SlotState::kBackingOff, SlotState::kFailed,   SlotState::kGone};

std::string states_that_take(SlotEvent event) {
  std::string all;
  for (const SlotState state : kStates) {
    if (next_state(state, event)) all.append(all.empty() ? "" : ", ").append(to_string(state));
  }
  return all;
}

TEST_CASE("which event may come in which state") {
  CHECK(states_that_take(SlotEvent::kStart) == "idle, backing off, failed");
  CHECK(states_that_take(SlotEvent::kStop) == "running, stopping, backing off, failed");
  CHECK(states_that_take(SlotEvent::kStarted) == "starting");
  CHECK(states_that_take(SlotEvent::kExited) == "starting, running, stopping");
  CHECK(states_that_take(SlotEvent::kBackOff) == "idle");
  CHECK(states_that_take(SlotEvent::kGiveUp) == "idle");
  CHECK(states_that_take(SlotEvent::kKeeperLost) == "idle, starting, running, stopping, backing off, failed");
}

TEST_CASE("a keeper in service says two things only") {
  CHECK(event_of(sys::FrameKind::kStarted) == SlotEvent::kStarted);
  CHECK(event_of(sys::FrameKind::kExited) == SlotEvent::kExited);
  CHECK_FALSE(event_of(sys::FrameKind::kReport));
  CHECK_FALSE(event_of(sys::FrameKind::kStart));
}

}  // namespace
}  // namespace hooksmtpd::launcher
