#include "daemon/tls/client_certificates.h"

#include <openssl/err.h>

#include "daemon/tls/chain.h"

namespace hooksmtpd::tls {
namespace {

// The result of the verification stays with the session (SSL_get_verify_result), the handshake goes on.
int accept_any(int, X509_STORE_CTX*) noexcept { return 1; }

}  // namespace

std::expected<void, std::string> ask_for_certificates(SSL_CTX* context, const config::Tls& tls) {
  using enum config::ClientCertificates;
  for (const config::Pem& file : tls.authorities) {
    const auto certificates = read_authorities(file.file, file.text);
    if (!certificates) return std::unexpected(certificates.error());
    for (const X509Ptr& one : *certificates) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get());
      SSL_CTX_add_client_CA(context, one.get());
    }
  }
  ERR_clear_error();
  switch (tls.client_certificates) {
    case kNone:
      SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
      break;
    case kRequest:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, accept_any);
      break;
    case kRequire:
      if (tls.authorities.empty()) {
        return std::unexpected(
            "tls.client_certificates = \"require\" accepts nobody without an authority to check them against: set "
            "tls.ca_file or tls.ca_dir");
      }
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      break;
  }
  SSL_CTX_set_verify_depth(context, kMaxIntermediates);
  return {};
}

}  // namespace hooksmtpd::tls
