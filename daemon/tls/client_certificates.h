// Whether clients are asked for a certificate, and whom we believe what it says.

#pragma once

#include <expected>
#include <string>

#include "config/config.h"
#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

// How many certificates may stand between a client's and an authority.
inline constexpr int kMaxIntermediates = 8;

// `request`: whatever certificate comes is taken, and facts_of() tells whether it was good. `require`: without a good
// one the handshake fails. The names of the authorities are sent along (RFC 8446 §4.2.4), so that a client finds the
// certificate to show. Or a sentence about a file of authorities.
std::expected<void, std::string> ask_for_certificates(SSL_CTX* context, const config::Tls& tls);

}  // namespace hooksmtpd::tls
