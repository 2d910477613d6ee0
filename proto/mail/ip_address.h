// IP addresses as text.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::mail {

// Four numbers without leading zeros, "192.0.2.7"; and any spelling of RFC 4291 §2.2, without a zone.
bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);

// The same address as every other part of the daemon spells it (RFC 5952): "2001:DB8:0::7" -> "2001:db8::7".
// nullopt: it is neither.
std::optional<std::string> canonical_ip(std::string_view text);

}  // namespace hooksmtpd::mail
