// Whether the octets of a part are what its Content-Transfer-Encoding says (RFC 2045 §6.7, §6.8). A decoder reads over
// what is not; whoever reads the result should know.

#pragma once

#include <gmime/gmime.h>

#include <optional>
#include <string>

namespace hooksmtpd::mime {

// What is wrong, as a sentence; nullopt: nothing. Reads `content` from its beginning.
std::optional<std::string> check_encoding(GMimeDataWrapper* content);

}  // namespace hooksmtpd::mime
