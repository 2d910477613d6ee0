// What a reply may change beside its verdict: `rewrite`, `add_headers` and `abrupt` (PROTOCOL.md, "Modifications").

#pragma once

#include <optional>
#include <string>

#include "proto/hook/event.h"
#include "proto/hook/reply.h"
#include "proto/hook/reply_fields.h"
#include "proto/mail/verdict.h"

namespace hooksmtpd::hook {

// Reads them into a verdict that has its action. What is wrong with them, with the cure.
[[nodiscard]] std::optional<std::string> read_modifications(ReplyFields& fields, mail::Verdict& verdict);

// What is wrong with them in the reply to `event` of a hook that declared `declared`. The reply to an event that takes
// no verdict loses them.
[[nodiscard]] std::optional<std::string> check_modifications(mail::Verdict& verdict, Event event,
                                                             const Modifies& declared);

}  // namespace hooksmtpd::hook
