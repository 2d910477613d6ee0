// What the supervisor's frames mean to a keeper: a value for each, without the fork that may follow.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daemon/sys/frame.h"

namespace hooksmtpd::keeper {

enum class State : std::uint8_t { kIdle, kRunning, kEnding };  // kEnding: the child is gone, its offspring not yet

// kStart: of what it executes; argv[0] is the path. At least one argument.
struct StartChild {
  std::vector<std::string> argv;
};
// kStop: may come in any state. The child may have ended by itself a moment ago, and kExited be on its way.
struct StopChild {
  std::chrono::milliseconds grace;  // 0: SIGKILL at once
};
// kRelease: close the listeners.
struct ReleaseListeners {};

using Order = std::variant<StartChild, StopChild, ReleaseListeners>;

// `frame` is one that receive_frame() has let through. Empty: a supervisor does not say that to a keeper in this state,
// so whoever said it is none.
std::optional<Order> order_of(const sys::Frame& frame, State state);

}  // namespace hooksmtpd::keeper
