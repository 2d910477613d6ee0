// A configuration and what follows from it. A session keeps the one it began with, whatever is reloaded meanwhile.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "daemon/sys/log.h"
#include "daemon/tls/context.h"
#include "daemon/worker/policy.h"

namespace hooksmtpd::tls {
class Signer;
}

namespace hooksmtpd::worker {

struct Generation {
  // `signer` signs with the keys of the certificates, and outlives us. Certificates of which nothing can be made are
  // logged, and TLS cannot be had: they were judged before, by a process that had no clients to lose.
  Generation(config::Config config, tls::Signer& signer, sys::Log& log);

  // Of the listener with this name, which there is.
  const Policy& policy(std::string_view listener) const { return policies.find(listener)->second; }

  config::Config config;
  std::map<std::string, Policy, std::less<>> policies;  // by listener
  std::unique_ptr<tls::Context> tls;                    // null: no listener has TLS
};

using GenerationPtr = std::shared_ptr<const Generation>;

}  // namespace hooksmtpd::worker
