#include "daemon/tls/judge.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/sys/error.h"
#include "daemon/tls/chain.h"
#include "daemon/tls/client_certificates.h"
#include "daemon/tls/date.h"
#include "daemon/tls/private_key.h"
#include "daemon/tls/protocol.h"

namespace hooksmtpd::tls {
namespace {

using config::Problem;
using config::Severity;
using config::TlsVersion;

SslContext new_context() {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) throw std::runtime_error("SSL_CTX_new: " + take_error());
  return context;
}

bool has_alternative_names(const X509* leaf) { return X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) >= 0; }

class Judge {
 public:
  Judge(const config::Tls& tls, std::span<const sys::KeyFile> files, std::chrono::system_clock::time_point now)
      : tls_(tls), files_(files), now_(std::chrono::system_clock::to_time_t(now)) {}

  std::vector<Problem> all() {
    const SslContext context = new_context();
    const auto protocol = set_protocol(context.get(), tls_);
    if (!protocol) say(Severity::kError, {}, protocol.error());
    if (const auto asked = ask_for_certificates(new_context().get(), tls_); !asked) {
      say(Severity::kError, {}, asked.error());
    }
    for (const config::Certificate& one : tls_.certificates) certificate(context.get(), one);
    settings(protocol ? context.get() : nullptr);
    return std::move(problems_);
  }

 private:
  void say(Severity severity, const config::Source& where, std::string text) {
    problems_.push_back({.severity = severity, .where = where, .text = std::move(text)});
  }

  void certificate(SSL_CTX* context, const config::Certificate& one) {
    const auto chain = read_chain(one.chain.file, one.chain.text);
    if (!chain) return say(Severity::kError, one.source, chain.error());
    if (const auto strong = check_strength(context, one.chain.file, *chain); !strong) {
      say(Severity::kError, one.source, strong.error());
    }
    const EVP_PKEY* const public_key = X509_get0_pubkey(chain->leaf.get());
    key_types_.push_back(EVP_PKEY_get_base_id(public_key));
    private_key(one, public_key);
    what_clients_see(one, *chain);
  }

  const sys::KeyFile* file(const std::filesystem::path& name) const {
    const auto found = std::ranges::find(files_, name, &sys::KeyFile::path);
    return found == files_.end() ? nullptr : &*found;
  }

  void private_key(const config::Certificate& one, const EVP_PKEY* public_key) {
    const sys::KeyFile* const key = file(one.key);
    const sys::KeyFile* const password = one.key_password_file.empty() ? nullptr : file(one.key_password_file);
    for (const sys::KeyFile* const read : {key, password}) {
      if (read == nullptr || read->error == 0) continue;
      return say(Severity::kError, one.source,
                 fmt::format("{} cannot be read: {}", read->path.string(), sys::errno_text(read->error)));
    }
    if (key == nullptr || (password == nullptr && !one.key_password_file.empty())) return;
    const auto made =
        read_private_key_of(public_key, one.chain.file,
                            {.file = one.key,
                             .text = key->text,
                             .password_file = one.key_password_file,
                             .password_text = password != nullptr ? std::string_view(password->text) : ""});
    if (!made) say(Severity::kError, one.source, made.error());
  }

  // Nothing here keeps the server from starting: some people test their clients with just that.
  void what_clients_see(const config::Certificate& one, const Chain& chain) {
    X509* const leaf = chain.leaf.get();
    const std::string file = one.chain.file.string();
    const auto warn = [&](std::string text) { say(Severity::kWarning, one.source, std::move(text)); };
    std::time_t now = now_;
    if (X509_cmp_time(X509_get0_notAfter(leaf), &now) < 0) {
      warn(fmt::format("the certificate in {} expired on {}: clients that check it refuse it", file,
                       date(X509_get0_notAfter(leaf))));
    }
    if (X509_cmp_time(X509_get0_notBefore(leaf), &now) > 0) {
      warn(fmt::format("the certificate in {} is not valid before {}: clients that check it refuse it", file,
                       date(X509_get0_notBefore(leaf))));
    }
    if (!has_alternative_names(leaf)) {
      warn(
          fmt::format("the certificate in {} has no subjectAltName: clients look there for the host name, and nowhere "
                      "else",
                      file));
    }
    if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1) {
      warn(fmt::format("the certificate in {} is not for TLS servers: its keyUsage or extendedKeyUsage says so", file));
    }
    const X509* issued = leaf;
    for (std::size_t i = 0; i < chain.intermediates.size(); ++i) {
      X509* const issuer = chain.intermediates[i].get();
      if (X509_check_issued(issuer, const_cast<X509*>(issued)) != X509_V_OK) {
        warn(
            fmt::format("{}: certificate {} in it does not come from certificate {}: put the server's own first, each "
                        "followed by the one that issued it",
                        file, i + 1, i + 2));
        break;
      }
      issued = issuer;
    }
    ERR_clear_error();
  }

  // `context`: with the ciphers set; null where they cannot be.
  void settings(const SSL_CTX* context) {
    const auto warn = [&](std::string text) { say(Severity::kWarning, {}, std::move(text)); };
    if (tls_.min_version < TlsVersion::k12) {
      warn(
          fmt::format("tls.min_version allows {}, which signs its handshakes with MD5 and SHA-1: OpenSSL's security "
                      "level is 0 for all connections",
                      to_string(tls_.min_version)));
    }
    if (tls_.client_certificates == config::ClientCertificates::kRequest && tls_.authorities.empty()) {
      warn(
          "tls.client_certificates = \"request\" without tls.ca_file or tls.ca_dir: whatever clients show counts as "
          "not "
          "verified");
    }
    if (context == nullptr) return;
    if (tls_.min_version == TlsVersion::k13) {
      if (!tls_.ciphers.empty()) {
        warn(
            "tls.ciphers is for TLS 1.2 and older, and tls.min_version is 1.3: it selects nothing; tls.ciphersuites is "
            "for TLS 1.3");
      }
      return;
    }
    if (!tls_.ciphers.empty()) ciphers(context);
  }

  void ciphers(const SSL_CTX* context) {
    bool old = false;
    bool rsa = false;
    bool ecdsa = false;
    const STACK_OF(SSL_CIPHER)* const list = SSL_CTX_get_ciphers(context);
    for (int i = 0; i < sk_SSL_CIPHER_num(list); ++i) {
      const SSL_CIPHER* const cipher = sk_SSL_CIPHER_value(list, i);
      const std::string_view version = SSL_CIPHER_get_version(cipher);
      old = old || (version != "TLSv1.3" && version != "TLSv1.2");
      rsa = rsa || SSL_CIPHER_get_auth_nid(cipher) == NID_auth_rsa;
      ecdsa = ecdsa || SSL_CIPHER_get_auth_nid(cipher) == NID_auth_ecdsa;
    }
    if (tls_.min_version < TlsVersion::k12 && !old) {
      say(Severity::kWarning, {},
          fmt::format("tls.min_version allows {}, but tls.ciphers selects no cipher that is older than TLS 1.2",
                      to_string(tls_.min_version)));
    }
    const auto works = [&](int type) { return type == EVP_PKEY_RSA ? rsa : ecdsa; };
    if (!key_types_.empty() && !std::ranges::any_of(key_types_, works)) {
      say(Severity::kWarning, {},
          fmt::format("tls.ciphers selects no cipher for certificates with an {} key: only TLS 1.3 will work",
                      key_types_.front() == EVP_PKEY_RSA ? "RSA" : "ECDSA"));
    }
  }

  const config::Tls& tls_;
  std::span<const sys::KeyFile> files_;
  std::time_t now_;
  std::vector<int> key_types_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> judge(const config::Tls& tls, std::span<const sys::KeyFile> files,
                           std::chrono::system_clock::time_point now) {
  return Judge(tls, files, now).all();
}

}  // namespace hooksmtpd::tls
