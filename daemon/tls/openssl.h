// OpenSSL's objects with one owner each, and its errors as text.

#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace hooksmtpd::tls {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* handle) const noexcept {
    release(handle);
  }
};

using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Release<BIO_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;

// Starts the library without openssl.cnf: what it does must not depend on whether a jail hides that file. Call it first
// in main(), before anything else of OpenSSL. Throws std::runtime_error.
void start_openssl();

// What went wrong first since the queue was last empty ("no start line"), and empties the queue; "unknown error" when
// it is empty.
std::string take_error();

// A BIO that reads `text`, which must outlive it.
BioPtr reading(std::string_view text);
// What was written to a BIO_s_mem().
std::string written(BIO* memory);

}  // namespace hooksmtpd::tls
