#include "daemon/worker/dispatcher.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "daemon/sys/error.h"
#include "daemon/worker/inquiry.h"

namespace hooksmtpd::worker {
namespace {

using mail::Action;
using mail::Verdict;

// A bare `defer` gets the reply that fits its question: 451 4.3.0, 421 to a host, 454 4.7.0 to AUTH.
Verdict verdict_on_failure(config::OnFailure policy) {
  switch (policy) {
    case config::OnFailure::kTempfail:
      return {.action = Action::kDefer, .code = 0, .enhanced = "", .text = {}};
    case config::OnFailure::kAccept:
      return {};
    case config::OnFailure::kReject:
      return {.action = Action::kReject, .code = 0, .enhanced = "", .text = {}};
  }
  return {.action = Action::kDefer, .code = 0, .enhanced = "", .text = {}};
}

Verdict verdict_on_full_queue(config::HookEvent event) {
  if (event == config::HookEvent::kValidateHost || event == config::HookEvent::kAuth)
    return verdict_on_failure(config::OnFailure::kTempfail);
  return {.action = Action::kDefer, .code = 451, .enhanced = "4.3.2", .text = {"System is busy, try again later"}};
}

const char* name_of(Action action) {
  constexpr std::array names{"accept", "reject", "defer", "discard", "close"};
  return names[static_cast<std::size_t>(action)];
}

}  // namespace

Dispatcher::Dispatcher(event_base* base, sys::Log& log, HookProcess::Surroundings surroundings)
    : base_(base), log_(log), surroundings_(std::move(surroundings)) {
  surroundings_.busy = [this](HookProcess& process) { busy_.push_back(&process); };
}

Dispatcher::~Dispatcher() = default;

void Dispatcher::add_hooks(const config::Config& config) {
  for (const config::Hook& hook : config.hooks) {
    auto& pool = pools_[hook.name];
    while (pool.size() < hook.instances) {
      pool.push_back(
          std::make_unique<HookProcess>(surroundings_, hook.name, static_cast<std::uint32_t>(pool.size() + 1)));
    }
  }
}

HookProcess* Dispatcher::find(const std::string& hook, std::uint32_t instance) {
  const auto pool = pools_.find(hook);
  if (pool == pools_.end() || instance == 0 || instance > pool->second.size()) return nullptr;
  return pool->second[instance - 1].get();
}

// A session stays with one instance, unless that one is down and another is not.
HookProcess& Dispatcher::process_for(const config::Hook& hook, std::uint64_t number) {
  auto& pool = pools_.at(hook.name);
  for (std::size_t i = 0; i < pool.size(); ++i) {
    HookProcess& process = *pool[(number + i) % pool.size()];
    if (process.ready()) return process;
  }
  return *pool[number % pool.size()];
}

void Dispatcher::ask(Client& client, smtp::QuestionId id, const smtp::Question& question) {
  Inquiry& inquiry = inquiries_.emplace_back(*this, client, id, question);
  inquiry.self = std::prev(inquiries_.end());
  step(inquiry);
}

// What no hook has seen yet is not asked any more: the client was told nothing, and will send the message again.
void Dispatcher::forget(const Client& client) {
  for (auto inquiry = inquiries_.begin(); inquiry != inquiries_.end();) {
    const auto next = std::next(inquiry);
    if (inquiry->client == &client) {
      inquiry->client = nullptr;
      inquiry->question = nullptr;
      const bool seen = inquiry->delivery && !inquiry->delivery->accepted_by.empty();
      if (!seen && inquiry->asked && inquiry->asked->take_back(*inquiry)) inquiries_.erase(inquiry);
    }
    inquiry = next;
  }
}

// Puts the message where the hook can read it; otherwise the inquiry is decided.
bool Dispatcher::place(Inquiry& inquiry, const config::Hook& hook, std::string& path) {
  auto placed = inquiry.delivery->body->place_for(hook.name);
  if (placed) {
    path = *std::move(placed);
    return true;
  }
  const bool full = placed.error() == ENOSPC || placed.error() == EDQUOT;
  log_.error("spool message={} hook={} error=\"{}\"", inquiry.delivery->transaction, hook.name,
             sys::errno_text(placed.error()));
  decide_later(inquiry, full ? Verdict{.action = Action::kDefer,
                                       .code = 452,
                                       .enhanced = "4.3.1",
                                       .text = {"Insufficient system storage, try again later"}}
                             : verdict_on_failure(config::OnFailure::kTempfail));
  return false;
}

// Asks the hook that the inquiry has come to.
void Dispatcher::step(Inquiry& inquiry) {
  const config::Hook& hook = inquiry.hook();
  std::string path;
  if (inquiry.delivery && !place(inquiry, hook, path)) return;
  HookProcess& process = process_for(hook, inquiry.number);
  inquiry.asked = &process;
  Request request{.id = process.next_id(),
                  .event = to_protocol(inquiry.event),
                  .line = {},
                  .timeout = hook.on(inquiry.event).timeout,
                  .asker = &inquiry};
  if (!inquiry.write(request.line, request.id, path)) {
    log_.warn("hook {} {}: the request is too long to be asked", process.label(), inquiry.tag());
    return decide_later(inquiry, verdict_on_failure(hook.on(inquiry.event).on_failure));
  }
  process.ask(std::move(request));
}

void Dispatcher::outcome(Inquiry& inquiry, Outcome outcome) {
  if (inquiry.delivery) inquiry.delivery->body->withdraw();
  switch (outcome.kind) {
    case Outcome::kVerdict:
      if (!takes_recipients(inquiry, outcome.verdict)) {
        return failed(inquiry, "`recipients` must have one verdict for each recipient that was asked about, in order");
      }
      log_.debug("verdict hook={} event={} {} action={} code={}", inquiry.asked->label(),
                 config::to_string(inquiry.event), inquiry.tag(), name_of(outcome.verdict.action),
                 outcome.verdict.code);
      if (outcome.verdict.action != Action::kAccept && !outcome.verdict.text.empty()) {
        log_.info("verdict hook={} event={} {} action={} text={}", inquiry.asked->label(),
                  config::to_string(inquiry.event), inquiry.tag(), name_of(outcome.verdict.action),
                  sys::quoted(outcome.verdict.text.front()));
      }
      if (outcome.delay.count() > 0) return decide_after(inquiry, std::move(outcome.verdict), outcome.delay);
      return decide(inquiry, outcome.verdict);
    case Outcome::kFailed:
      return failed(inquiry, outcome.reason);
    case Outcome::kQueueFull:
      log_.warn("hook {} busy event={} {}: {}", inquiry.asked->label(), config::to_string(inquiry.event), inquiry.tag(),
                outcome.reason);
      return decide(inquiry, verdict_on_full_queue(inquiry.event));
  }
}

void Dispatcher::failed(Inquiry& inquiry, std::string_view reason) {
  const Verdict verdict = verdict_on_failure(inquiry.hook().on(inquiry.event).on_failure);
  log_.warn("hook {} failed event={} {} on_failure={}: {}", inquiry.asked->label(), config::to_string(inquiry.event),
            inquiry.tag(), name_of(verdict.action), reason);
  decide(inquiry, verdict);
}

void Dispatcher::decide(Inquiry& inquiry, const Verdict& given) {
  Delivery* const delivery = inquiry.delivery.get();
  const bool lmtp = delivery && delivery->recipient_verdicts && given.action != Action::kClose;
  bool accepted = given.action == Action::kAccept;
  if (lmtp) {
    delivery->recipient_verdicts->apply(given, delivery->envelope.recipients);
    accepted = delivery->recipient_verdicts->anybody_left();
  }
  if (delivery && accepted && inquiry.asked) delivery->accepted_by.push_back(inquiry.asked);
  if (accepted && !inquiry.last() && (inquiry.client || delivery)) {
    ++inquiry.position;
    return step(inquiry);
  }
  const Verdict verdict = lmtp ? delivery->recipient_verdicts->result() : given;
  if (delivery && (lmtp ? delivery->recipient_verdicts->in_vain() : !mail::accepts(verdict))) take_back(inquiry);
  Client* const client = inquiry.client;
  const smtp::QuestionId id = inquiry.id;
  if (!client && delivery) {
    log_.info("message id={} outcome={} the client was gone and did not hear it", delivery->transaction,
              name_of(verdict.action));
  }
  inquiries_.erase(inquiry.self);
  if (client) client->answer(id, verdict);
}

// What a hook said of single recipients counts over LMTP only: elsewhere the client gets one reply for all of them.
// True unless it spoke of more or fewer than it was asked about.
bool Dispatcher::takes_recipients(const Inquiry& inquiry, Verdict& verdict) {
  if (verdict.recipients.empty()) return true;
  if (inquiry.delivery && inquiry.delivery->recipient_verdicts) {
    return inquiry.delivery->recipient_verdicts->fits(verdict);
  }
  verdict.recipients.clear();
  if (const std::string& name = inquiry.hook().name; noted_.insert(name).second) {
    log_.warn("hook {}: `recipients` of a reply counts over LMTP only: elsewhere one reply is for all", name);
  }
  return true;
}

// The hooks that had accepted a message which is refused after all may want to forget it. Over LMTP that is one which
// nobody gets: `reset` cannot say for whom.
void Dispatcher::take_back(Inquiry& inquiry) {
  const Delivery& delivery = *inquiry.delivery;
  const hook::SessionFacts facts = delivery.session.facts();
  for (HookProcess* process : delivery.accepted_by) {
    if (!process->wants_reset()) continue;
    Request request{
        .id = process->next_id(), .event = hook::Event::kReset, .line = {}, .timeout = std::chrono::seconds(10)};
    if (append_request(request.line, request.id, hook::Reset{.session = facts, .transaction = delivery.transaction})) {
      process->ask(std::move(request));
    }
  }
}

void Dispatcher::decide_later(Inquiry& inquiry, Verdict verdict) {
  decisions_.push_back({.inquiry = &inquiry, .verdict = std::move(verdict)});
}

void Dispatcher::decide_after(Inquiry& inquiry, Verdict verdict, std::chrono::milliseconds delay) {
  struct Delayed {
    Dispatcher& dispatcher;
    Decision decision;
  };
  auto delayed = std::make_unique<Delayed>(Delayed{*this, {&inquiry, std::move(verdict)}});
  const timeval tv = to_timeval(delay);
  const auto callback = [](evutil_socket_t, short, void* argument) noexcept {
    const std::unique_ptr<Delayed> due(static_cast<Delayed*>(argument));
    due->dispatcher.decide(*due->decision.inquiry, due->decision.verdict);
  };
  if (event_base_once(base_, -1, EV_TIMEOUT, callback, delayed.get(), &tv) == 0) {
    delayed.release();
  } else {
    decide_later(inquiry, std::move(delayed->decision.verdict));
  }
}

void Dispatcher::disconnected(const Client& client, const hook::Disconnect& disconnect) {
  for (const std::size_t index : client.policy().chain(config::HookEvent::kDisconnect)) {
    const config::Hook& hook = client.generation()->config.hooks[index];
    HookProcess& process = process_for(hook, client.number());
    Request request{.id = process.next_id(),
                    .event = hook::Event::kDisconnect,
                    .line = {},
                    .timeout = hook.on(config::HookEvent::kDisconnect).timeout};
    if (append_request(request.line, request.id, disconnect)) process.ask(std::move(request));
  }
}

void Dispatcher::end_of_turn() {
  // Who is told may ask again at once; that is done within the same turn.
  while (!decisions_.empty() || !busy_.empty()) {
    for (auto decisions = std::exchange(decisions_, {}); const Decision& decision : decisions) {
      decide(*decision.inquiry, decision.verdict);
    }
    for (auto busy = std::exchange(busy_, {}); HookProcess * process : busy) process->end_of_turn();
  }
}

bool Dispatcher::quiet() const {
  return inquiries_.empty() && std::ranges::all_of(pools_, [](const auto& entry) {
           return std::ranges::all_of(entry.second, [](const auto& process) { return process->waiting() == 0; });
         });
}

}  // namespace hooksmtpd::worker
