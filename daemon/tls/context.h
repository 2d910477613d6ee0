// The server's side of TLS as the configuration wants it: one SSL_CTX for the connections of a configuration.
//
// TLS 1.2 and 1.3 unless `tls.min_version` says otherwise, forward secrecy always (keys sign, they never decrypt), no
// renegotiation (RFC 5746 has it; a mail client does not), no compression, session tickets whose keys never leave this
// process, several certificates by SNI (RFC 6066 §3). An ALPN extension of the client's is ignored: SMTP has no name
// there.

#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/tls/chain.h"
#include "daemon/tls/openssl.h"
#include "daemon/tls/ticket_keys.h"

namespace hooksmtpd::tls {

class Context {
 public:
  // Gives the private half for a certificate's public key, or a sentence: make_remote_key() in the worker.
  using KeySource = std::function<std::expected<Key, std::string>(const config::Certificate&, EVP_PKEY* public_key)>;

  // Needs at least one certificate. Fails with the sentence that judge() (judge.h) has for it.
  static std::expected<std::unique_ptr<Context>, std::string> make(const config::Tls& tls, const KeySource& keys);

  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // A connection that waits for its ClientHello. The Context must outlive it. Null: no memory.
  std::unique_ptr<SSL, Release<SSL_free>> new_connection() const;

 private:
  struct Served {
    Chain chain;
    Key key;
  };

  Context() = default;
  std::expected<void, std::string> add(const config::Certificate& certificate, const KeySource& keys);
  static int choose_certificate(SSL* ssl, void* self) noexcept;
  static bool use(SSL* ssl, const Served& served);

  TicketKeys ticket_keys_;
  std::vector<Served> served_;  // in configured order
  SslContext context_;
};

}  // namespace hooksmtpd::tls
