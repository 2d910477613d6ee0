#include "daemon/worker/notices.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace hooksmtpd::worker {
namespace {

using config::HookEvent;

constexpr std::chrono::milliseconds kUsual = std::chrono::seconds(10);

template <class Notice>
void tell(HookProcess& process, hook::Event event, std::chrono::milliseconds timeout, const Notice& notice) {
  Request request{.id = process.next_id(), .event = event, .line = {}, .timeout = timeout};
  // What does not fit is not said: nothing depends on it.
  if (append_request(request.line, request.id, notice)) process.ask(std::move(request));
}

std::chrono::milliseconds reset_timeout(const config::Hook& hook) {
  return hook.on(HookEvent::kReset).subscribed ? hook.on(HookEvent::kReset).timeout : kUsual;
}

}  // namespace

bool Notices::dialogue_wanted(const Client& client) {
  return std::ranges::any_of(client.policy().chain(HookEvent::kDisconnect), [&](std::size_t index) {
    return pools_.process_for(client.generation()->config.hooks[index], client.number()).hello().dialogue;
  });
}

void Notices::disconnected(const Client& client, hook::Disconnect disconnect, std::string_view dialogue) {
  hook::SessionFacts facts = disconnect.session;
  for (const std::size_t index : client.policy().chain(HookEvent::kDisconnect)) {
    const config::Hook& hook = client.generation()->config.hooks[index];
    HookProcess& process = pools_.process_for(hook, client.number());
    facts.notes = client.notes().of(hook.name);
    const hook::Disconnect notice{.session = facts,
                                  .duration = disconnect.duration,
                                  .commands = disconnect.commands,
                                  .recipients = disconnect.recipients,
                                  .messages_accepted = disconnect.messages_accepted,
                                  .messages_refused = disconnect.messages_refused,
                                  .bytes_received = disconnect.bytes_received,
                                  .bytes_sent = disconnect.bytes_sent,
                                  .dialogue = process.hello().dialogue ? dialogue : std::string_view(),
                                  .reason = disconnect.reason};
    tell(process, hook::Event::kDisconnect, hook.on(HookEvent::kDisconnect).timeout, notice);
  }
}

void Notices::reset(const Client& client, std::string_view transaction, hook::ResetReason reason) {
  const auto& chain = client.policy().chain(HookEvent::kReset);
  if (chain.empty()) return;
  hook::SessionFacts facts = client.facts();
  for (const std::size_t index : chain) {
    const config::Hook& hook = client.generation()->config.hooks[index];
    HookProcess& process = pools_.process_for(hook, client.number());
    if (!process.hello().wants_reset) continue;
    facts.notes = client.notes().of(hook.name);
    tell(process, hook::Event::kReset, reset_timeout(hook),
         hook::Reset{.session = facts, .transaction = transaction, .reason = reason});
  }
}

void Notices::refused(const Delivery& delivery, const Generation& generation, const Policy& policy,
                      std::uint64_t number, hook::ResetReason for_others) {
  const auto& hooks = generation.config.hooks;
  for (HookProcess* const process : delivery.accepted_by) {
    if (!process->hello().wants_reset) continue;
    const hook::SessionFacts facts = delivery.facts(process->name());
    const auto hook = std::ranges::find(hooks, process->name(), &config::Hook::name);
    tell(*process, hook::Event::kReset, hook == hooks.end() ? kUsual : reset_timeout(*hook),
         hook::Reset{.session = facts, .transaction = delivery.transaction, .reason = hook::ResetReason::kRefused});
  }
  for (const std::size_t index : policy.chain(HookEvent::kReset)) {
    const config::Hook& hook = hooks[index];
    const auto is_it = [&](const HookProcess* process) { return process->name() == hook.name; };
    if (std::ranges::any_of(delivery.accepted_by, is_it)) continue;
    HookProcess& process = pools_.process_for(hook, number);
    if (!process.hello().wants_reset) continue;
    const hook::SessionFacts facts = delivery.facts(hook.name);
    tell(process, hook::Event::kReset, reset_timeout(hook),
         hook::Reset{.session = facts, .transaction = delivery.transaction, .reason = for_others});
  }
}

void Notices::tree_over(const Delivery& delivery, std::string_view hook) {
  const hook::SessionFacts facts = delivery.facts({});
  tell(
      *delivery.tree_by, hook::Event::kReset, kUsual,
      hook::Reset{
          .session = facts, .transaction = delivery.transaction, .reason = hook::ResetReason::kOver, .for_hook = hook});
}

void Notices::cancel(HookProcess& process, const config::Hook& hook, const hook::SessionFacts& session,
                     hook::RequestId target) {
  const config::EventPolicy& policy = hook.on(HookEvent::kCancel);
  if (!policy.subscribed || !process.ready()) return;
  if (process.hello().concurrency < 2 || !process.hello().wants_cancel) return;
  tell(process, hook::Event::kCancel, policy.timeout, hook::Cancel{.session = session, .target = target});
}

}  // namespace hooksmtpd::worker
