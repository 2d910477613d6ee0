// A configuration and what follows from it. A session keeps the one it began with, whatever is reloaded meanwhile.

#pragma once

#include <array>
#include <memory>
#include <vector>

#include "config/config.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

struct Generation {
  explicit Generation(config::Config config);

  // Positions in config.hooks of those that are asked about `event`, in configured order.
  const std::vector<std::size_t>& chain(config::HookEvent event) const {
    return chains[static_cast<std::size_t>(event)];
  }

  config::Config config;
  smtp::Settings settings;
  std::array<std::vector<std::size_t>, config::kHookEvents> chains;
};

using GenerationPtr = std::shared_ptr<const Generation>;

}  // namespace hooksmtpd::worker
