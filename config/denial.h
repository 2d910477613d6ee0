// What a hook's error message has to do with its sandbox. The kernel tells nobody but the hook what it has refused;
// what the hook says of it, in its language's words, is all that there is. The words are a guess at a cause, and are
// shown beside the hook's own.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"

namespace hooksmtpd::config {

// For a line that `hook` wrote to its standard error, where its sandbox is a reason for it:
// `denied what=network to="10.0.0.5:5432" why="sandbox.network is \"none\"" fix="sandbox.network = \"host\""`. What is
// of the hook's own text is in quotes, escaped and cut. Nothing, too, where there is no hook of that name.
std::optional<std::string> explain_denial(std::string_view line, const Config& config, std::string_view hook);

}  // namespace hooksmtpd::config
