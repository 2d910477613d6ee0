#include "daemon/worker/hello_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/worker/inquiry.h"

namespace hooksmtpd::worker {

std::vector<HelloFinding> check_hello(const config::Hook& hook, const hook::HelloReply& reply) {
  std::vector<HelloFinding> findings;
  if (hook.name == config::kMimeHook) return findings;  // ours, and nobody subscribes it to anything
  if (hook.on(config::HookEvent::kCancel).subscribed && reply.concurrency < 2) {
    findings.push_back({sys::LogLevel::kInfo,
                        "it is subscribed to cancel, which only a hook that says \"concurrency\" at hello gets"});
  }
  if (reply.dialogue && !hook.on(config::HookEvent::kDisconnect).subscribed) {
    findings.push_back({sys::LogLevel::kWarn,
                        "it wants the dialogue, which comes with disconnect, but is not asked about that: add "
                        "disconnect to its events"});
  }
  if (!reply.events) return findings;
  for (std::size_t i = 0; i < config::kHookEvents; ++i) {
    const auto event = static_cast<config::HookEvent>(i);
    const bool handled = std::ranges::find(*reply.events, to_protocol(event)) != reply.events->end();
    const bool asked = hook.on(event).subscribed;
    if (asked && !handled) {
      findings.push_back(
          {sys::LogLevel::kWarn,
           fmt::format("its configuration has it asked about {0}, which it does not handle: take {0} out "
                       "of its events",
                       config::to_string(event))});
    }
    // reset comes to whoever delivers.
    const bool comes_anyway = event == config::HookEvent::kReset && hook.delivers();
    if (handled && !asked && !comes_anyway) {
      findings.push_back(
          {sys::LogLevel::kInfo,
           fmt::format("it handles {0}, but is not asked about it: add {0} to its events", config::to_string(event))});
    }
  }
  return findings;
}

}  // namespace hooksmtpd::worker
