// What SCRAM and OAUTHBEARER messages begin with (RFC 5801 §4).

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::sasl {

struct Gs2Header {
  std::size_t size = 0;            // octets of the message that it takes, with its last ','
  bool wants_binding = false;      // "p=": the client insists on channel binding, which is not offered
  std::string authorization_id{};  // decoded; empty: none
};

// nullopt if the message does not begin with one. An authorization identity is a name of at most kMaxUser octets.
std::optional<Gs2Header> parse_gs2_header(std::string_view message);

// A saslname (RFC 5802 §5.1): "=2C" is ',', "=3D" is '=', and neither stands there otherwise. nullopt if it is none, or
// no is_name().
std::optional<std::string> decode_saslname(std::string_view text);

}  // namespace hooksmtpd::sasl
