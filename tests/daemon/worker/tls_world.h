// What a test of TLS needs in one process: certificates, contexts, and a client that is driven by hand.

#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"
#include "daemon/tls/context.h"
#include "daemon/worker/event.h"

namespace hooksmtpd::worker::test {

struct Identity {
  std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>> key;
  std::unique_ptr<X509, Release<X509_free>> certificate;

  std::string certificate_pem() const;
};
// A key of P-256 and a certificate that it signed itself, good for an hour.
Identity make_identity(std::string_view common_name);

// What the worker makes of a configuration, but with the key at hand.
std::unique_ptr<tls::Context> server_context(const Identity& identity);

// The other end of a socket, in steps that never block.
class TlsClient {
 public:
  // `newest`: TLS1_2_VERSION, TLS1_3_VERSION
  explicit TlsClient(sys::Fd socket, int newest = TLS1_3_VERSION, const Identity* identity = nullptr);

  bool handshake();  // whether it is done
  void send(std::string_view bytes);
  std::string receive();  // what there is now
  bool at_end();          // close_notify has come
  void close_notify() { SSL_shutdown(ssl_.get()); }
  int socket() const { return socket_.get(); }
  SSL* ssl() const { return ssl_.get(); }
  void reset_socket() { socket_.reset(); }

 private:
  sys::Fd socket_;
  std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, Release<SSL_free>> ssl_;
};

}  // namespace hooksmtpd::worker::test
