// What an examination came to: for people, and as JSON.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/ctl/hook/examination.h"

namespace hooksmtpd::ctl {

// A line for each case with its verdict and its milliseconds, what the hook wrote to stderr, the findings, and a last
// line that counts. What comes from the hook is escaped: it could move the cursor.
std::string to_text(const Examined& examined);

// {"ok":…,"hello":{…},"start_ms":…,"cases":[{"name":…,"took_ms":…,"reply":{…},"good":…,"log":[…]}],"at_once":…,
//  "findings":[{"kind":…,"where":…,"text":…}]}
nlohmann::ordered_json to_json(const Examined& examined);

}  // namespace hooksmtpd::ctl
