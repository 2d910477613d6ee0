#include "daemon/tls/issue.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace hooksmtpd::tls {
namespace {

constexpr std::size_t kMaxCommonName = 64;
constexpr int kSerialBits = 159;  // positive and at most 20 octets (RFC 5280 §4.1.2.2)

void must(bool worked, const char* call) {
  if (!worked) throw std::runtime_error(std::string(call) + ": " + take_error());
}

void set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Release<BN_free>> number(BN_new());
  must(number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1, "BN_rand");
  must(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "BN_to_ASN1_INTEGER");
}

void set_name(X509_NAME* name, std::string common_name) {
  common_name.resize(std::min(common_name.size(), kMaxCommonName));
  for (const auto& [field, text] : {std::pair("O", std::string("hooksmtpd")), std::pair("CN", common_name)}) {
    must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1,
         "X509_NAME_add_entry_by_txt");
  }
}

void add(X509* certificate, X509* issuer, const Extension& extension) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>> made(
      X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value.c_str()));
  must(made && X509_add_ext(certificate, made.get(), -1) == 1, extension.value.c_str());
}

}  // namespace

Identity issue(const CertificateRequest& request, const Identity* issuer) {
  Identity made{.certificate = X509Ptr(X509_new()), .key = Key(EVP_EC_gen("P-256"))};
  must(made.certificate && made.key, "EVP_EC_gen");
  X509* const certificate = made.certificate.get();
  X509* const signer = issuer != nullptr ? issuer->certificate.get() : certificate;

  must(X509_set_version(certificate, X509_VERSION_3) == 1, "X509_set_version");
  set_serial(certificate);
  set_name(X509_get_subject_name(certificate), request.common_name);
  must(X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1, "X509_set_issuer_name");
  must(ASN1_TIME_set(X509_getm_notBefore(certificate), request.not_before) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), request.not_after) != nullptr,
       "ASN1_TIME_set");
  must(X509_set_pubkey(certificate, made.key.get()) == 1, "X509_set_pubkey");
  for (const Extension& extension : request.extensions) add(certificate, signer, extension);
  must(X509_sign(certificate, issuer != nullptr ? issuer->key.get() : made.key.get(), EVP_sha256()) > 0, "X509_sign");
  return made;
}

std::string to_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  must(bio && PEM_write_bio_X509(bio.get(), certificate) == 1, "PEM_write_bio_X509");
  return written(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  must(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "PEM_write_bio_PKCS8PrivateKey");
  return written(bio.get());
}

}  // namespace hooksmtpd::tls
