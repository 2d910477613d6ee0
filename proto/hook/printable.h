// Text from outside, fit for a log line or a terminal: printable ASCII, every other octet as \xNN, cut at a length.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hooksmtpd::hook {

// At most `limit` octets of `text` are shown, and "..." for the rest. A quote and a backslash get a backslash, so that
// the result can stand between quotes.
std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace hooksmtpd::hook
