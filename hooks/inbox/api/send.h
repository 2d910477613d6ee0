// Mail that comes this way, and mail that goes on.

#pragma once

#include <string>

#include "hooks/inbox/api/context.h"

namespace hooksmtpd::inbox::v2 {

// POST messages: a message in pieces, as JSON, or as it is, as message/rfc822, with ?from=…&to=a,b for its envelope.
void send(Context& context, const ExchangePtr& exchange);

// POST messages/ID/release {"to":[…]}.
void release(Context& context, const ExchangePtr& exchange, const std::string& id);

}  // namespace hooksmtpd::inbox::v2
