#include "tests/daemon/worker/tls_world.h"

#include <doctest/doctest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <string>
#include <utility>

namespace hooksmtpd::worker::test {

Identity make_identity(std::string_view common_name) {
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, made.key.get());
  REQUIRE(X509_sign(certificate, made.key.get(), EVP_sha256()) > 0);
  return made;
}

std::string Identity::certificate_pem() const {
  std::unique_ptr<BIO, Release<BIO_free_all>> out(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_X509(out.get(), certificate.get()) == 1);
  char* text = nullptr;
  const long length = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::unique_ptr<tls::Context> server_context(const Identity& identity) {
  const config::Certificate certificate{.chain = {.file = "cert.pem", .text = identity.certificate_pem()},
                                        .key = "key.pem",
                                        .key_password_file = {},
                                        .source = {}};
  auto context = tls::Context::make({.certificates = {certificate}}, [&](const config::Certificate&, EVP_PKEY*) {
    EVP_PKEY_up_ref(identity.key.get());
    return tls::Key(identity.key.get());
  });
  REQUIRE_MESSAGE(context, context.error());
  return *std::move(context);
}

TlsClient::TlsClient(sys::Fd socket, int newest, const Identity* identity)
    : socket_(std::move(socket)), context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_max_proto_version(context_.get(), newest);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (identity) {
    REQUIRE(SSL_CTX_use_certificate(context_.get(), identity->certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context_.get(), identity->key.get()) == 1);
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), socket_.get());
  SSL_set_connect_state(ssl_.get());
}

bool TlsClient::handshake() {
  ERR_clear_error();
  return SSL_do_handshake(ssl_.get()) == 1;
}

void TlsClient::send(std::string_view bytes) {
  ERR_clear_error();
  REQUIRE(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
}

std::string TlsClient::receive() {
  std::string got;
  std::array<char, 16 * 1024> piece;
  for (;;) {
    ERR_clear_error();
    const int n = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
    if (n <= 0) return got;
    got.append(piece.data(), static_cast<std::size_t>(n));
  }
}

bool TlsClient::at_end() {
  receive();
  return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

}  // namespace hooksmtpd::worker::test
