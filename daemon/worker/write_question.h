// The requests that put a session's questions to a hook.

#pragma once

#include <optional>
#include <string>

#include "daemon/worker/client.h"
#include "proto/hook/request.h"
#include "proto/mail/mailbox.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

// Appends the request. `facts` are of the session, with that hook's notes; `rewritten` is the address that a hook
// before it has put in the place of the sender or the recipient that is asked about. Not for messages.
hook::Written write_question(std::string& line, hook::RequestId id, const smtp::Question& question,
                             const smtp::Session& session, const hook::SessionFacts& facts,
                             const std::optional<mail::ReversePath>& rewritten);

}  // namespace hooksmtpd::worker
