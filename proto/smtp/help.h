// HELP (RFC 5321 §4.1.1.8).

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proto/smtp/extensions.h"

namespace hooksmtpd::smtp {

// The lines about a topic, known in any case; empty topic: the list of topics. Only commands that the session
// understands are topics; of any other there is no line.
std::vector<std::string> help(std::string_view topic, const Circumstances& circumstances);

}  // namespace hooksmtpd::smtp
