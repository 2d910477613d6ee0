// SASLprep (RFC 4013): different ways to type the same name or password come out as the same octets.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::sasl {

// As stored strings are prepared (RFC 3454 §7): nullopt for what is not UTF-8, for control characters and others that
// are not allowed, for characters that Unicode 3.2 did not have (newer emoji among them), for right-to-left text that
// is mixed (RFC 3454 §6), and for what comes out empty. ASCII without control characters comes out as it is.
std::optional<std::string> saslprep(std::string_view text);

}  // namespace hooksmtpd::sasl
