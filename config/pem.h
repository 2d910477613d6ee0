// Certificates in PEM (RFC 7468), as far as the configuration must know them: where each begins and ends. What stands
// in them is OpenSSL's business, which this library does not link.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::config {

// Each certificate of a text with its BEGIN and END lines, line ends as "\n". Nothing else of the text: a private key
// that stands in the same file is left behind, whole or broken.
std::vector<std::string> certificates_in(std::string_view text);

// Some private key begins in it: "PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY".
bool has_private_key(std::string_view text);

}  // namespace hooksmtpd::config
