#include "daemon/tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "daemon/tls/client_certificates.h"
#include "daemon/tls/protocol.h"

namespace hooksmtpd::tls {
namespace {

constexpr std::string_view kSessionContext = "hooksmtpd";  // required where clients show certificates

}  // namespace

std::expected<std::unique_ptr<Context>, std::string> Context::make(const config::Tls& tls, const KeySource& keys) {
  std::unique_ptr<Context> made(new Context);
  made->context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = made->context_.get();
  if (context == nullptr) throw std::runtime_error("SSL_CTX_new: " + take_error());

  // Small buffers while idle; the worker's writes are partial and move; a chain is what its file says, whomever clients
  // may come from; a client that closes without close_notify ends no message, for every message of SMTP has an end of
  // its own.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets do
  SSL_CTX_set_num_tickets(context, 1);                          // a mail client comes back with one connection
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 static_cast<unsigned int>(kSessionContext.size()));
  made->ticket_keys_.serve(context);

  if (auto set = set_protocol(context, tls); !set) return std::unexpected(set.error());
  if (auto set = ask_for_certificates(context, tls); !set) return std::unexpected(set.error());
  for (const config::Certificate& certificate : tls.certificates) {
    if (auto added = made->add(certificate, keys); !added) return std::unexpected(added.error());
  }
  if (made->served_.empty()) return std::unexpected("there is no certificate: set tls.certificate and tls.key");
  SSL_CTX_set_cert_cb(context, choose_certificate, made.get());
  return made;
}

std::expected<void, std::string> Context::add(const config::Certificate& certificate, const KeySource& keys) {
  auto chain = read_chain(certificate.chain.file, certificate.chain.text);
  if (!chain) return std::unexpected(chain.error());
  if (auto strong = check_strength(context_.get(), certificate.chain.file, *chain); !strong) return strong;
  auto key = keys(certificate, X509_get0_pubkey(chain->leaf.get()));
  if (!key) return std::unexpected(key.error());
  served_.push_back({.chain = *std::move(chain), .key = *std::move(key)});
  return {};
}

std::unique_ptr<SSL, Release<SSL_free>> Context::new_connection() const {
  std::unique_ptr<SSL, Release<SSL_free>> ssl(SSL_new(context_.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

// Called once the client's name is known. The certificates that name it, or else those with a wildcard for it; OpenSSL
// keeps one for each kind of key, so that RSA and ECDSA for one name go together. No name, or one that nobody has: the
// first certificate (RFC 6066 §3 lets us).
int Context::choose_certificate(SSL* ssl, void* self) noexcept try {
  const auto& served = static_cast<const Context*>(self)->served_;
  std::vector<const Served*> chosen;
  if (const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
    for (const NameMatch wanted : {NameMatch::kExact, NameMatch::kWildcard}) {
      // What is set replaces what was set before: the first of the configuration comes last.
      for (auto one = served.rbegin(); one != served.rend(); ++one) {
        if (covers(one->chain.leaf.get(), name) == wanted) chosen.push_back(&*one);
      }
      if (!chosen.empty()) break;
    }
  }
  if (chosen.empty()) chosen.push_back(&served.front());
  SSL_certs_clear(ssl);
  return std::ranges::all_of(chosen, [&](const Served* one) { return use(ssl, *one); }) ? 1 : 0;
} catch (const std::exception&) {
  return 0;
}

bool Context::use(SSL* ssl, const Served& served) {
  const std::unique_ptr<STACK_OF(X509), Release<[](STACK_OF(X509) * stack) { sk_X509_free(stack); }>> intermediates(
      sk_X509_new_null());
  for (const X509Ptr& one : served.chain.intermediates) sk_X509_push(intermediates.get(), one.get());
  return SSL_use_cert_and_key(ssl, served.chain.leaf.get(), served.key.get(), intermediates.get(), 1) == 1;
}

}  // namespace hooksmtpd::tls
