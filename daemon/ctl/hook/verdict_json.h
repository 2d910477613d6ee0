// A verdict as JSON, in the words of PROTOCOL.md, whatever form the reply had: what cases expect and reports show.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "proto/hook/channel.h"

namespace hooksmtpd::ctl {

// `text` is one string for one line, else an array; what does not apply is left out.
nlohmann::ordered_json to_json(const hook::outcome::Answer& answer);

// For people: "reject 550 5.1.1 no such user", and what is modified.
std::string to_text(const hook::outcome::Answer& answer);

// Where `actual` is not what was expected; nullopt: all that `expected` names is there. What it does not name may be
// anything; null means that it must be absent. A string that begins with "~" is a regular expression (ECMAScript) to be
// found in the text.
std::optional<std::string> difference(const nlohmann::ordered_json& expected, const nlohmann::ordered_json& actual);

}  // namespace hooksmtpd::ctl
