// What may be shown of a client's line to people and records: everything but its credentials.

#pragma once

#include <string>
#include <string_view>

namespace hooksmtpd::smtp {

// The line is AUTH, or was meant to be: what stands in it, and in lines behind it, may be a password.
bool begins_login(std::string_view line);

// A line that begins_login(): "AUTH PLAIN ***", and "AUTH LOGIN" where nothing stands behind the mechanism. The name of
// one that nobody knows is not shown either: it may be a password in the wrong place.
std::string without_credentials(std::string_view line);

// Instead of a line that may be an answer to AUTH.
inline constexpr std::string_view kHiddenLine = "***";

// Instead of one that is too long, whatever it says.
inline constexpr std::string_view kHiddenLongLine = "*** (a line that is too long)";

}  // namespace hooksmtpd::smtp
