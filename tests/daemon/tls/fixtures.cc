#include "tests/daemon/tls/fixtures.h"

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

#include "daemon/tls/issue.h"

namespace fixtures {
namespace {

void add(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

using SslPtr = std::unique_ptr<SSL, tls::Release<SSL_free>>;

SslPtr make_client(SSL_CTX* context, const ClientWish& wish) {
  SSL_CTX_set_security_level(context, 0);
  if (wish.certificate != nullptr) {
    SSL_CTX_use_certificate(context, wish.certificate->certificate.get());
    SSL_CTX_use_PrivateKey(context, wish.certificate->key.get());
  }
  SslPtr client(SSL_new(context));
  SSL_set_connect_state(client.get());
  if (wish.min_version != 0) SSL_set_min_proto_version(client.get(), wish.min_version);
  if (wish.max_version != 0) SSL_set_max_proto_version(client.get(), wish.max_version);
  if (!wish.server_name.empty()) SSL_set_tlsext_host_name(client.get(), wish.server_name.c_str());
  if (!wish.sigalgs.empty()) REQUIRE(SSL_set1_sigalgs_list(client.get(), wish.sigalgs.c_str()) == 1);
  if (!wish.ciphers.empty()) REQUIRE(SSL_set_cipher_list(client.get(), wish.ciphers.c_str()) == 1);
  if (wish.resume != nullptr) SSL_set_session(client.get(), wish.resume);
  return client;
}

}  // namespace

tls::Key new_key(const std::string& kind) {
  if (kind.starts_with("RSA:")) return tls::Key(EVP_RSA_gen(static_cast<unsigned>(std::stoul(kind.substr(4)))));
  if (kind == "ED25519") return tls::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  return tls::Key(EVP_EC_gen(kind.c_str()));
}

Pair make_pair(const Wish& wish, const Pair* issuer) {
  static long serial = 1000;
  Pair pair{.certificate = tls::X509Ptr(X509_new()), .key = new_key(wish.key), .certificate_pem = {}, .key_pem = {}};
  REQUIRE(pair.key);
  X509* const certificate = pair.certificate.get();
  X509* const signer = issuer != nullptr ? issuer->certificate.get() : certificate;
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  X509_gmtime_adj(X509_getm_notBefore(certificate), wish.begins);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wish.ends);
  X509_set_pubkey(certificate, pair.key.get());
  if (wish.authority) add(certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
  if (!wish.names.empty()) add(certificate, signer, NID_subject_alt_name, wish.names);
  if (!wish.extended_usage.empty()) add(certificate, signer, NID_ext_key_usage, wish.extended_usage);
  EVP_PKEY* const key = issuer != nullptr ? issuer->key.get() : pair.key.get();
  const bool own_digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
  REQUIRE(X509_sign(certificate, key, own_digest ? nullptr : EVP_get_digestbyname(wish.digest)) > 0);
  pair.certificate_pem = tls::to_pem(certificate);
  pair.key_pem = tls::to_pem(pair.key.get());
  return pair;
}

std::string encrypted(const Pair& pair, const std::string& password) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), pair.key.get(), EVP_aes_256_cbc(), password.data(),
                                        static_cast<int>(password.size()), nullptr, nullptr) == 1);
  return tls::written(bio.get());
}

config::Tls config_of(const std::vector<const Pair*>& pairs) {
  config::Tls config;
  config.mode = config::TlsMode::kStarttls;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    config::Certificate one;
    one.chain = {.file = number + ".crt", .text = pairs[i]->certificate_pem};
    one.key = number + ".key";
    config.certificates.push_back(one);
  }
  return config;
}

tls::Context::KeySource keys_of(const std::vector<const Pair*>& pairs) {
  return [pairs](const config::Certificate&, EVP_PKEY* wanted) -> std::expected<tls::Key, std::string> {
    for (const Pair* const pair : pairs) {
      if (EVP_PKEY_eq(wanted, pair->key.get()) != 1) continue;
      EVP_PKEY_up_ref(pair->key.get());
      return tls::Key(pair->key.get());
    }
    return std::unexpected("no such key");
  };
}

Met meet(const tls::Context& context, const ClientWish& wish) {
  const tls::SslContext client_context(SSL_CTX_new(TLS_client_method()));
  const SslPtr client = make_client(client_context.get(), wish);
  const SslPtr server = context.new_connection();
  REQUIRE(server);
  BIO* ours = nullptr;
  BIO* theirs = nullptr;
  REQUIRE(BIO_new_bio_pair(&ours, 0, &theirs, 0) == 1);
  SSL_set_bio(server.get(), ours, ours);
  SSL_set_bio(client.get(), theirs, theirs);

  Met met;
  ERR_clear_error();
  for (int turn = 0; turn < 10 && !(met.server && met.client); ++turn) {
    met.client = met.client || SSL_do_handshake(client.get()) == 1;
    ERR_clear_error();
    if (met.server) continue;
    const int result = SSL_do_handshake(server.get());
    met.server = result == 1;
    if (result != 1 && SSL_get_error(server.get(), result) == SSL_ERROR_SSL) {
      met.server_error = tls::take_error();
      break;
    }
  }
  if (!met.server || !met.client) return met;
  met.facts = tls::facts_of(server.get());
  if (X509* const shown = SSL_get0_peer_certificate(client.get())) {
    std::array<char, 64> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name.data(), name.size());
    met.certificate_name = name.data();
  }
  met.chain = sk_X509_num(SSL_get_peer_cert_chain(client.get()));
  int type = 0;
  int hash = 0;
  SSL_get_peer_signature_type_nid(client.get(), &type);
  SSL_get_peer_signature_nid(client.get(), &hash);
  met.signature = std::string(OBJ_nid2sn(type)) + " " + OBJ_nid2sn(hash);
  char byte = 'x';
  CHECK(SSL_write(server.get(), &byte, 1) == 1);
  CHECK(SSL_read(client.get(), &byte, 1) == 1);  // and takes the ticket of TLS 1.3
  met.resumed = SSL_session_reused(server.get()) == 1;
  SSL_shutdown(client.get());  // or OpenSSL holds the session for broken
  met.session.reset(SSL_get1_session(client.get()));
  return met;
}

}  // namespace fixtures
