// What the worker answers when the supervisor asks for numbers: one frame, however many hooks there are.

#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

namespace hooksmtpd::worker {

// The counters, an object, with a member "hooks": as many of these as fit into `room` octets together with everything
// else, the first ones first. If there are others, "hooks_without_numbers" says how many; a text that is cut off would
// say nothing at all.
std::string status_text(const nlohmann::json& counters, std::span<const nlohmann::json> hooks, std::size_t room);

}  // namespace hooksmtpd::worker
