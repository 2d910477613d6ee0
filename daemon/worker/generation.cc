#include "daemon/worker/generation.h"

#include <utility>

namespace hooksmtpd::worker {

using config::HookEvent;

Generation::Generation(config::Config from) : config(std::move(from)) {
  for (std::size_t i = 0; i < config.hooks.size(); ++i) {
    for (std::size_t event = 0; event < config::kHookEvents; ++event) {
      if (config.hooks[i].events[event].subscribed) chains[event].push_back(i);
    }
  }
  settings = {.hostname = config.hostname,
              .banner = config.banner,
              .message_size = config.limits.message_size,
              .recipients = config.limits.recipients,
              .errors = config.limits.errors,
              .commands = config.limits.commands,
              .strict_lines = config.limits.strict_lines,
              .judged = {.host = !chain(HookEvent::kValidateHost).empty(),
                         .sender = !chain(HookEvent::kValidateSender).empty(),
                         .recipient = !chain(HookEvent::kValidateRecipient).empty(),
                         .message = !chain(HookEvent::kDeliver).empty()}};
}

}  // namespace hooksmtpd::worker
