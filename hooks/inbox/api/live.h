// Answers that wait for what comes: events (server-sent events) and wait (long polling).

#pragma once

#include "hooks/inbox/api/context.h"

namespace hooksmtpd::inbox::v2 {

// GET events: `message`, `update`, `delete`, `session` as they happen.
void follow(Context& context, const ExchangePtr& exchange);

// GET wait?since=CURSOR&query=…&count=1&timeout=SECONDS: answers once so many messages that the query finds have come
// after the cursor, or with 408 when the time is up.
void wait(Context& context, const ExchangePtr& exchange);

// Where `since` begins: all that is there by now is before it.
std::string cursor(const Store& store);

}  // namespace hooksmtpd::inbox::v2
