#include "daemon/tls/protocol.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace hooksmtpd::tls {
namespace {

using config::TlsVersion;

constexpr std::array kVersions{TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};  // by TlsVersion

// No key exchange by RSA, for which a key must decrypt; no pre-shared keys and passwords, for which there is no place
// to configure them; nothing anonymous. DHE is slow, and who has it has ECDHE: only for those who name it.
constexpr std::string_view kNever = ":!kRSA:!kRSAPSK:!aPSK:!kPSK:!aSRP:!kSRP:!aNULL";
constexpr std::string_view kDefaultCiphers = "DEFAULT:!kDHE";

// SSL_CTX_set_cipher_list() ignores names that it does not know, and refuses a list only where nothing at all is left,
// TLS 1.3 suites included in some releases; so we look.
bool has_cipher_before_1_3(const SSL_CTX* context) {
  const STACK_OF(SSL_CIPHER)* const ciphers = SSL_CTX_get_ciphers(context);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    if (std::string_view(SSL_CIPHER_get_version(sk_SSL_CIPHER_value(ciphers, i))) != "TLSv1.3") return true;
  }
  return false;
}

std::expected<void, std::string> set_ciphers(SSL_CTX* context, const std::string& list) {
  const std::string whole = (list.empty() ? std::string(kDefaultCiphers) : list) + std::string(kNever);
  if (SSL_CTX_set_cipher_list(context, whole.c_str()) == 1 && has_cipher_before_1_3(context)) return {};
  ERR_clear_error();
  const bool all = SSL_CTX_set_cipher_list(context, list.c_str()) == 1 && has_cipher_before_1_3(context);
  ERR_clear_error();
  return std::unexpected(
      all ? fmt::format("tls.ciphers = \"{}\" selects only ciphers without forward secrecy or without a certificate, "
                        "which this server does not speak (its key signs, it does not decrypt): "
                        "name ciphers that begin with ECDHE",
                        list)
          : fmt::format("tls.ciphers = \"{0}\" selects no cipher: openssl ciphers -v '{0}' shows what a list selects",
                        list));
}

std::expected<void, std::string> set_suites(SSL_CTX* context, const std::string& list) {
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (SSL_CTX_set_ciphersuites(context, name.c_str()) == 1 && !name.empty()) continue;
    ERR_clear_error();
    return std::unexpected(
        fmt::format("tls.ciphersuites: \"{}\" is no TLS 1.3 ciphersuite of this OpenSSL: openssl ciphers -s -tls1_3 "
                    "lists them (ciphers of TLS 1.2 belong in tls.ciphers)",
                    name));
  }
  if (!list.empty()) SSL_CTX_set_ciphersuites(context, list.c_str());
  return {};
}

}  // namespace

std::string to_string(TlsVersion version) {
  constexpr std::array<std::string_view, 4> kNames{"TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
  return std::string(kNames.at(static_cast<std::size_t>(version)));
}

std::expected<void, std::string> set_protocol(SSL_CTX* context, const config::Tls& tls) {
  if (tls.min_version < TlsVersion::k12) SSL_CTX_set_security_level(context, 0);
  if (SSL_CTX_set_min_proto_version(context, kVersions.at(static_cast<std::size_t>(tls.min_version))) != 1) {
    return std::unexpected(
        fmt::format("tls.min_version: this OpenSSL does not speak {}: {}", to_string(tls.min_version), take_error()));
  }
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_PRIORITIZE_CHACHA);
  if (!tls.ciphers.empty()) SSL_CTX_set_dh_auto(context, 1);
  if (auto set = set_ciphers(context, tls.ciphers); !set) return set;
  return set_suites(context, tls.ciphersuites);
}

}  // namespace hooksmtpd::tls
