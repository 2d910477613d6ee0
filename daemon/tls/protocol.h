// Which versions and ciphers of TLS are spoken.

#pragma once

#include <expected>
#include <string>

#include "config/config.h"
#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

// Sets versions, ciphers, suites and the options that go with them. Or a sentence that names the setting.
//
// Below TLS 1.2, handshakes are signed with MD5 and SHA-1, which OpenSSL refuses above its security level 0: it is set
// where `min_version` asks for that.
std::expected<void, std::string> set_protocol(SSL_CTX* context, const config::Tls& tls);

// "TLS 1.2".
std::string to_string(config::TlsVersion version);

}  // namespace hooksmtpd::tls
