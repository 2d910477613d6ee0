// The header fields of a part, as they stand there and as they read.

#pragma once

#include <gmime/gmime.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace hooksmtpd::mime {

// [[name, raw, decoded], ...] in their order. `raw` is what stands behind the colon, with its folding and without its
// last line end; where it is not UTF-8 a fourth element has its octets in base64. `decoded` is unfolded, encoded words
// (RFC 2047) resolved.
nlohmann::ordered_json headers_of(GMimeObject* object);
// Those of a message, of which GMime keeps some with its body.
nlohmann::ordered_json headers_of(GMimeMessage* message, GMimeObject* body);

std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);

}  // namespace hooksmtpd::mime
