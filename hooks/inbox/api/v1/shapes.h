// What is stored -> Mailpit's JSON.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "hooks/inbox/api/context.h"
#include "hooks/inbox/mail/opened.h"

namespace hooksmtpd::inbox::v1 {

using Json = nlohmann::ordered_json;

Json to_json(const Address& address);
Json to_json(const Addresses& addresses);
Json summary(const Message& message);
Json attachment(const Opened& opened, const mime::Node& part);

// Answers "ok", or why not, once something is written.
Store::Changed ok(const ExchangePtr& exchange);

}  // namespace hooksmtpd::inbox::v1
