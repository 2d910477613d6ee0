// A message that goes on to the world: by the relay hook, which has a network and knows to whom mail may go.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hooks/inbox/api/context.h"

namespace hooksmtpd::inbox {

// Asks the relay hook to hand it on to these recipients, with the sender that it came with and without its Bcc fields.
// `released` gets nothing once the next server has it, else why not. Throws ProblemError: 501 where no relay hook is
// configured, 404, 400 for recipients that are none.
using Released = std::function<void(const std::optional<Problem>& problem)>;
void release(const Context& context, const std::string& id, const std::vector<std::string>& to, Released released);

}  // namespace hooksmtpd::inbox
