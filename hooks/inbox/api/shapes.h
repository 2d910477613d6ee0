// What is stored -> JSON of /api/v2.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox::v2 {

using Json = nlohmann::ordered_json;

std::string to_text(Time time);  // RFC 3339, with milliseconds
Json to_json(const Addresses& addresses);
Json to_json(const Summary& summary);
// Without its entries.
Json to_json(const Session& session);

}  // namespace hooksmtpd::inbox::v2
