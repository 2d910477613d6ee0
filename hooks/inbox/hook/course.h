// How a session went, from its dialogue (PROTOCOL.md, "disconnect").

#pragma once

#include <nlohmann/json_fwd.hpp>

#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox {

// Fills in outcome, reason, hook, from and to. `reason` is that of disconnect, `accepted` how many messages were.
void read_course(const nlohmann::json& dialogue, std::string_view reason, std::uint64_t accepted, Session& session);

}  // namespace hooksmtpd::inbox
