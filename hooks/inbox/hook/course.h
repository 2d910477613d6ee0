// How a session went, from its dialogue (PROTOCOL.md, "disconnect").

#pragma once

#include <cstdint>
#include <string_view>

#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox {

// Fills in outcome, reason, hook, from and to, from what can be read of it. `reason` is that of disconnect, `accepted`
// how many messages were.
void read_course(std::string_view dialogue, std::string_view reason, std::uint64_t accepted, Session& session);

}  // namespace hooksmtpd::inbox
