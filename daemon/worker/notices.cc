#include "daemon/worker/notices.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/worker/inquiry.h"

namespace hooksmtpd::worker {
namespace {

using config::HookEvent;

constexpr std::chrono::milliseconds kUsual = std::chrono::seconds(10);

// What does not fit a line is not said: nothing depends on it.
template <class Notice>
bool tell(HookProcess& process, Request request, const Notice& notice) {
  request.id = process.next_id();
  if (!append_request(request.line, request.id, notice)) return false;
  process.ask(std::move(request));
  return true;
}

}  // namespace

// A reset, as long as its session is there to note something.
class Notices::Told final : public Asker {
 public:
  Told(Notices& notices, Client& to, const std::string& hook) : client(&to), notices_(notices), hook_(hook) {}

  void outcome(Outcome&& outcome) override {
    if (client && outcome.notes) client->notes().set(hook_, *std::move(outcome.notes));
    notices_.told_.erase(self);
  }
  sys::About about() const override {
    return {.session = client ? std::string_view(client->session().id()) : std::string_view()};
  }

  Client* client;  // nullptr: gone
  std::list<Told>::iterator self{};

 private:
  Notices& notices_;
  std::string hook_;
};

Notices::Notices(HookPools& pools) : pools_(pools) {}

Notices::~Notices() = default;

void Notices::forget(const Client& client) {
  for (Told& told : told_) {
    if (told.client == &client) told.client = nullptr;
  }
}

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
    tell(process, {.event = hook::Event::kDisconnect, .line = {}, .timeout = hook.on(HookEvent::kDisconnect).timeout},
         notice);
  }
}

void Notices::tell_reset(HookProcess& process, const config::Hook& hook, const hook::Reset& notice, Client* client) {
  if (!process.hello().wants_reset) return;
  const config::EventPolicy& policy = hook.on(HookEvent::kReset);
  Request request{.event = hook::Event::kReset, .line = {}, .timeout = policy.subscribed ? policy.timeout : kUsual};
  if (!client) {
    tell(process, std::move(request), notice);
    return;
  }
  Told& told = told_.emplace_back(*this, *client, hook.name);
  told.self = std::prev(told_.end());
  request.asker = &told;
  if (!tell(process, std::move(request), notice)) told_.pop_back();
}

void Notices::reset(Client& client, std::string_view transaction, hook::ResetReason reason) {
  const auto& chain = client.policy().chain(HookEvent::kReset);
  if (chain.empty()) return;
  hook::SessionFacts facts = client.snapshot()->facts();
  for (const std::size_t index : chain) {
    const config::Hook& hook = client.generation()->config.hooks[index];
    facts.notes = std::as_const(client).notes().of(hook.name);
    tell_reset(pools_.process_for(hook, client.number()), hook,
               {.session = facts, .transaction = transaction, .reason = reason},
               reason == hook::ResetReason::kLost ? nullptr : &client);
  }
}

void Notices::refused(const Inquiry& inquiry, hook::ResetReason for_others) {
  const Delivery& delivery = *inquiry.delivery;
  const auto& hooks = inquiry.generation->config.hooks;
  const auto& subscribed = inquiry.policy->chain(HookEvent::kReset);
  for (std::size_t index = 0; index < hooks.size(); ++index) {
    const config::Hook& hook = hooks[index];
    const auto accepted = std::ranges::find(delivery.accepted_by, hook.name, &HookProcess::name);
    const bool had_it = accepted != delivery.accepted_by.end();
    if (!had_it && std::ranges::find(subscribed, index) == subscribed.end()) continue;
    const hook::SessionFacts facts = delivery.facts(hook.name);
    tell_reset(had_it ? **accepted : pools_.process_for(hook, inquiry.number), hook,
               {.session = facts,
                .transaction = delivery.transaction,
                .reason = had_it ? hook::ResetReason::kRefused : for_others},
               inquiry.client);
  }
}

// A mime hook that starts anew takes everything away by itself.
void Notices::tree_over(const Inquiry& inquiry) {
  const Delivery& delivery = *inquiry.delivery;
  if (!delivery.tree_by->ready()) return;
  const hook::SessionFacts facts = delivery.facts({});
  tell(*delivery.tree_by, {.event = hook::Event::kReset, .line = {}, .timeout = kUsual, .urgent = true},
       hook::Reset{.session = facts,
                   .transaction = delivery.transaction,
                   .reason = hook::ResetReason::kOver,
                   .for_hook = inquiry.hook().name});
}

void Notices::cancel(const Inquiry& inquiry) {
  HookProcess& process = *inquiry.asked;
  const config::EventPolicy& policy = inquiry.hook().on(HookEvent::kCancel);
  if (!policy.subscribed || process.hello().concurrency < 2 || !process.hello().wants_cancel) return;
  if (!process.has(inquiry.request)) return;
  const auto facts = inquiry.facts();
  if (!facts) return;
  tell(
      process,
      {.event = hook::Event::kCancel, .line = {}, .timeout = policy.timeout, .urgent = true, .target = inquiry.request},
      hook::Cancel{.session = *facts, .target = inquiry.request});
}

}  // namespace hooksmtpd::worker
