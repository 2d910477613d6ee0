#include "daemon/worker/generation.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "daemon/tls/remote_key.h"

namespace hooksmtpd::worker {

Generation::Generation(config::Config from, tls::Signer& signer, sys::Log& log) : config(std::move(from)) {
  for (const config::Listener& listener : config.listeners) {
    policies.emplace(std::piecewise_construct, std::forward_as_tuple(listener.name),
                     std::forward_as_tuple(config, listener));
  }
  if (std::ranges::none_of(policies, [](const auto& entry) { return entry.second.has_tls(); })) return;
  const auto remote_key = [&signer](const config::Certificate&, EVP_PKEY* public_key) {
    return tls::make_remote_key(public_key, signer);
  };
  auto context = tls::Context::make(config.tls, remote_key);
  if (context) {
    tls = *std::move(context);
  } else {
    log.error("tls cannot be had: {}", context.error());
  }
}

}  // namespace hooksmtpd::worker
