#include "daemon/worker/tls_facts.h"

#include <utility>

#include "daemon/tls/facts.h"

namespace hooksmtpd::worker {

smtp::TlsFacts tls_facts(const ssl_st* tls) {
  constexpr std::size_t kMaxSubject = 1024;
  tls::Facts facts = tls::facts_of(tls);
  if (facts.client_subject.size() > kMaxSubject) facts.client_subject.resize(kMaxSubject);
  return {.version = std::move(facts.version),
          .cipher = std::move(facts.cipher),
          .bits = facts.bits,
          .server_name = std::move(facts.server_name),
          .client_subject = std::move(facts.client_subject),
          .client_fingerprint = std::move(facts.client_fingerprint),
          .client_verified = facts.client_verified};
}

hook::TlsFacts to_hook(const smtp::TlsFacts& facts) {
  return {.version = facts.version,
          .cipher = facts.cipher,
          .bits = facts.bits,
          .server_name = facts.server_name,
          .client_subject = facts.client_subject,
          .client_fingerprint = facts.client_fingerprint,
          .client_verified = facts.client_verified};
}

}  // namespace hooksmtpd::worker
