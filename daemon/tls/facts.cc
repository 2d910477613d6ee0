#include "daemon/tls/facts.h"

#include <fmt/format.h>

#include <array>

namespace hooksmtpd::tls {
namespace {

std::string subject_of(const X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  return written(bio.get());
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  std::string text;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) return text;
  for (unsigned int i = 0; i < length; ++i) fmt::format_to(std::back_inserter(text), "{:02x}", digest[i]);
  return text;
}

}  // namespace

Facts facts_of(const SSL* ssl) {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  Facts facts{.version = SSL_get_version(ssl),
              .cipher = SSL_get_cipher_name(ssl),
              .bits = SSL_get_cipher_bits(ssl, nullptr),
              .server_name = name != nullptr ? name : "",
              .client_subject = {},
              .client_fingerprint = {},
              .client_verified = false,
              .client_problem = {}};
  if (const X509* const client = SSL_get0_peer_certificate(ssl)) {
    facts.client_subject = subject_of(client);
    facts.client_fingerprint = fingerprint_of(client);
    const long result = SSL_get_verify_result(ssl);
    facts.client_verified = result == X509_V_OK;
    if (!facts.client_verified) facts.client_problem = X509_verify_cert_error_string(result);
  }
  return facts;
}

}  // namespace hooksmtpd::tls
