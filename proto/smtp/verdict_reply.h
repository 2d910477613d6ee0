// What a client hears of a verdict (proto/hook/PROTOCOL.md, "Replies"): a hook that names a code is sent as it said,
// one that does not leaves the wording to the question.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proto/mail/verdict.h"
#include "proto/smtp/reply.h"

namespace hooksmtpd::smtp {

// The reply that a verdict other than accept asks for by itself. nullopt: it is a bare reject.
std::optional<Reply> own_reply(const mail::Verdict& verdict);

// A wording of ours, and the hook's text behind it, for the questions whose text the client may see.
std::string with_text(std::string_view wording, const mail::Verdict& verdict);

}  // namespace hooksmtpd::smtp
