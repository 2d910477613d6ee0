#include "daemon/tls/chain.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <utility>

#include "daemon/tls/key_kind.h"
#include "daemon/tls/pem.h"

namespace hooksmtpd::tls {
namespace {

std::expected<std::vector<X509Ptr>, std::string> read_all(const std::filesystem::path& file, std::string_view text) {
  // The configuration keeps a file's certificates alone: nothing is left of one that has none.
  if (text.empty()) return std::unexpected(fmt::format("{} holds no certificate", file.string()));
  const PemContents contents = look_at(text);
  if (contents.empty()) return std::unexpected(fmt::format("{} {}", file.string(), not_pem(text)));
  if (contents.certificates == 0) {
    return std::unexpected(fmt::format("{} holds {}, but no certificate", file.string(),
                                       contents.keys > 0 ? "a private key" : "other things"));
  }
  std::vector<X509Ptr> certificates;
  const BioPtr bio = reading(text);
  while (X509Ptr one{PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(std::move(one));
  }
  if (std::cmp_less(certificates.size(), contents.certificates)) {
    return std::unexpected(fmt::format("{}: certificate {} of {} in it is damaged: {}", file.string(),
                                       certificates.size() + 1, contents.certificates, take_error()));
  }
  ERR_clear_error();  // the end of the file is one
  return certificates;
}

}  // namespace

std::expected<Chain, std::string> read_chain(const std::filesystem::path& file, std::string_view text) {
  auto certificates = read_all(file, text);
  if (!certificates) return std::unexpected(certificates.error());
  if (look_at(text).keys > 0) {
    return std::unexpected(
        fmt::format("{0} also holds a private key: the certificate goes to the process that talks "
                    "with the network, the key must not; openssl pkey -in {0} -out KEYFILE writes "
                    "the key to a file of its own, then take it out of this one",
                    file.string()));
  }
  Chain chain{.leaf = std::move(certificates->front()), .intermediates = {}};
  certificates->erase(certificates->begin());
  chain.intermediates = *std::move(certificates);
  const EVP_PKEY* const key = X509_get0_pubkey(chain.leaf.get());
  if (key == nullptr) {
    return std::unexpected(fmt::format("{}: the certificate's key is damaged: {}", file.string(), take_error()));
  }
  if (const std::string problem = unusable_because(key); !problem.empty()) {
    return std::unexpected(fmt::format("{} {}", file.string(), problem));
  }
  return chain;
}

std::expected<void, std::string> check_strength(SSL_CTX* context, const std::filesystem::path& file,
                                                const Chain& chain) {
  if (SSL_CTX_use_certificate(context, chain.leaf.get()) != 1) {
    return std::unexpected(fmt::format("{}: OpenSSL refuses the certificate at security level {}: {}", file.string(),
                                       SSL_CTX_get_security_level(context), take_error()));
  }
  for (const X509Ptr& one : chain.intermediates) {
    if (SSL_CTX_add1_chain_cert(context, one.get()) == 1) continue;
    return std::unexpected(fmt::format("{}: OpenSSL refuses an intermediate certificate at security level {}: {}",
                                       file.string(), SSL_CTX_get_security_level(context), take_error()));
  }
  return {};
}

std::expected<std::vector<X509Ptr>, std::string> read_authorities(const std::filesystem::path& file,
                                                                  std::string_view text) {
  return read_all(file, text);
}

NameMatch covers(X509* leaf, std::string_view host_name) {
  // A leading dot would mean "any name below it" to X509_check_host.
  if (host_name.empty() || host_name.starts_with('.')) return NameMatch::kNone;
  char* pattern = nullptr;
  const int found =
      X509_check_host(leaf, host_name.data(), host_name.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, &pattern);
  if (found != 1) return NameMatch::kNone;
  const bool wildcard = pattern != nullptr && *pattern == '*';
  OPENSSL_free(pattern);
  return wildcard ? NameMatch::kWildcard : NameMatch::kExact;
}

}  // namespace hooksmtpd::tls
