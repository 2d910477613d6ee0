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

// Its recipients alone make the request longer than a line may be, and always will.
Verdict verdict_on_long_envelope() {
  return {.action = Action::kReject,
          .code = 554,
          .enhanced = "5.5.3",
          .text = {"Too many long recipient addresses: send the message to fewer at once"}};
}

}  // namespace

Dispatcher::Dispatcher(event_base* base, sys::Log& log, HookProcess::Surroundings surroundings)
    : base_(base),
      log_(log),
      pools_([&] {
        surroundings.busy = [this](HookProcess& process) { busy_.push_back(&process); };
        return std::move(surroundings);
      }()),
      notices_(pools_) {}

Dispatcher::~Dispatcher() = default;

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
      const bool seen = inquiry->delivery && !inquiry->delivery->accepted_by.empty();
      if (!seen && inquiry->asked && inquiry->asked->take_back(*inquiry)) {
        drop(*inquiry);
      } else {
        cancel(*inquiry);
        inquiry->client = nullptr;
        inquiry->question = nullptr;
      }
    }
    inquiry = next;
  }
}

// Puts the message where the hook can read it; otherwise the inquiry is decided.
bool Dispatcher::place(Inquiry& inquiry, const config::Hook& hook, std::string& path) {
  auto placed = inquiry.delivery->body->place_for(hook.name);
  if (!placed) return spool_failed(inquiry, hook.name, placed.error()), false;
  path = *std::move(placed);
  return true;
}

void Dispatcher::spool_failed(Inquiry& inquiry, std::string_view hook, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  log_.error("spool message={} hook={} error=\"{}\"", inquiry.delivery->transaction, hook, sys::errno_text(error));
  decide_later(inquiry, full ? Verdict{.action = Action::kDefer,
                                       .code = 452,
                                       .enhanced = "4.3.1",
                                       .text = {"Insufficient system storage, try again later"}}
                             : verdict_on_failure(config::OnFailure::kTempfail));
}

// Asks the hook that the inquiry has come to; first the mime hook, if that one wants a tree.
void Dispatcher::step(Inquiry& inquiry) {
  const auto& hooks = inquiry.generation->config.hooks;
  const config::Hook* hook = &inquiry.hook();
  inquiry.making_tree = inquiry.needs_tree();
  if (inquiry.making_tree) {
    const auto mime = std::ranges::find(hooks, config::kMimeHook, &config::Hook::name);
    assert(mime != hooks.end() && "load() adds it where a hook wants trees");
    hook = &*mime;
  }
  HookProcess& process = pools_.process_for(*hook, inquiry.number);
  inquiry.asked = &process;
  std::string path;
  if (inquiry.delivery &&
      !(process.hello().inline_body && hook::fits_inline(inquiry.delivery->body->in_memory()) &&
        inquiry.delivery->body->size() == inquiry.delivery->body->in_memory().size()) &&
      !place(inquiry, *hook, path)) {
    return;
  }
  inquiry.request = process.next_id();
  const config::HookEvent event = inquiry.asked_event();
  Request request{.id = inquiry.request,
                  .event = to_protocol(event),
                  .line = {},
                  .timeout = hook->on(event).timeout,
                  .asker = &inquiry};
  if (!inquiry.write(request.line, request.id, path)) {
    log_.warn("hook {} {}: the request is too long to be asked", process.label(), inquiry.tag());
    return decide_later(inquiry,
                        inquiry.delivery ? verdict_on_long_envelope() : verdict_on_failure(hook->on(event).on_failure));
  }
  process.ask(std::move(request));
}

void Dispatcher::outcome(Inquiry& inquiry, Outcome outcome) {
  if (outcome.late) cancel(inquiry);
  inquiry.request = 0;
  if (inquiry.delivery) inquiry.delivery->body->withdraw();
  tell_client(inquiry, outcome);
  if (inquiry.making_tree) return tree_made(inquiry, std::move(outcome));
  if (inquiry.delivery && !inquiry.delivery->tree.empty()) {
    notices_.tree_over(*inquiry.delivery, inquiry.hook().name);
    inquiry.delivery->tree.clear();
  }
  judged(inquiry, std::move(outcome));
}

void Dispatcher::tell_client(Inquiry& inquiry, const Outcome& outcome) {
  if (!inquiry.client) return;
  inquiry.client->hook_said({.hook = inquiry.asked->name(),
                             .instance = inquiry.asked->instance(),
                             .event = to_protocol(inquiry.asked_event()),
                             .verdict = outcome.kind == Outcome::kVerdict ? &outcome.verdict : nullptr,
                             .failure = outcome.reason,
                             .took = outcome.took});
}

// What the mime hook refuses, a message of too many parts, is refused for the hook that wanted the tree.
void Dispatcher::tree_made(Inquiry& inquiry, Outcome outcome) {
  inquiry.making_tree = false;
  Delivery& delivery = *inquiry.delivery;
  if (outcome.kind != Outcome::kVerdict || outcome.verdict.action != Action::kAccept) {
    return judged(inquiry, std::move(outcome));
  }
  if (outcome.mime.empty()) return failed(inquiry, "it gave no tree of the message");
  delivery.tree = std::move(outcome.mime);
  delivery.tree_by = inquiry.asked;
  if (inquiry.client || !delivery.accepted_by.empty()) return step(inquiry);
  notices_.tree_over(delivery, inquiry.hook().name);
  drop(inquiry);
}

void Dispatcher::judged(Inquiry& inquiry, Outcome outcome) {
  const config::HookEvent event = inquiry.asked_event();
  switch (outcome.kind) {
    case Outcome::kVerdict:
      if (!takes_recipients(inquiry, outcome.verdict)) {
        return failed(inquiry, "`recipients` must have one verdict for each recipient that was asked about, in order");
      }
      log_.debug("verdict hook={} event={} {} action={} code={}", inquiry.asked->label(), config::to_string(event),
                 inquiry.tag(), to_string(outcome.verdict.action), outcome.verdict.code);
      if (outcome.verdict.action != Action::kAccept && !outcome.verdict.text.empty()) {
        log_.info("verdict hook={} event={} {} action={} text={}", inquiry.asked->label(), config::to_string(event),
                  inquiry.tag(), to_string(outcome.verdict.action), sys::quoted(outcome.verdict.text.front()));
      }
      if (outcome.notes) {
        if (inquiry.client) inquiry.client->notes().set(inquiry.hook().name, *outcome.notes);
        if (inquiry.delivery) inquiry.delivery->notes.set(inquiry.hook().name, *std::move(outcome.notes));
      }
      if (outcome.verdict.rewrite) inquiry.rewritten = std::move(outcome.verdict.rewrite);
      if (!takes_headers(inquiry, outcome.verdict)) return;
      if (outcome.delay.count() > 0) return decide_after(inquiry, std::move(outcome.verdict), outcome.delay);
      return decide(inquiry, outcome.verdict);
    case Outcome::kFailed:
      return failed(inquiry, outcome.reason);
    case Outcome::kQueueFull:
      log_.warn("hook {} busy event={} {}: {}", inquiry.asked->label(), config::to_string(event), inquiry.tag(),
                outcome.reason);
      return decide(inquiry, verdict_on_full_queue(event));
  }
}

// Of what it is asked now, if that is still with the hook.
void Dispatcher::cancel(const Inquiry& inquiry) {
  if (inquiry.request == 0 || inquiry.making_tree) return;
  const std::string& hook = inquiry.hook().name;
  if (inquiry.delivery) {
    notices_.cancel(*inquiry.asked, inquiry.hook(), inquiry.delivery->facts(hook), inquiry.request);
  } else if (const Client* const client = inquiry.client) {
    hook::SessionFacts facts = client->facts();
    facts.notes = client->notes().of(hook);
    notices_.cancel(*inquiry.asked, inquiry.hook(), facts, inquiry.request);
  }
}

void Dispatcher::failed(Inquiry& inquiry, std::string_view reason) {
  const config::HookEvent event = inquiry.asked_event();
  const Verdict verdict = verdict_on_failure(inquiry.hook().on(event).on_failure);
  log_.warn("hook {} failed event={} {} on_failure={}: {}", inquiry.asked->label(), config::to_string(event),
            inquiry.tag(), to_string(verdict.action), reason);
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
  Verdict verdict = lmtp ? delivery->recipient_verdicts->result() : given;
  if (accepted) {
    verdict.rewrite = std::move(inquiry.rewritten);
    verdict.add_headers = std::move(inquiry.added_headers);
  }
  if (delivery && (lmtp ? delivery->recipient_verdicts->in_vain() : !mail::accepts(verdict))) {
    notices_.refused(*delivery, *inquiry.generation, *inquiry.policy, inquiry.number, hook::ResetReason::kFailed);
  }
  Client* const client = inquiry.client;
  const smtp::QuestionId id = inquiry.id;
  if (!client && delivery) {
    log_.info("message id={} outcome={} the client was gone and did not hear it", delivery->transaction,
              to_string(verdict.action));
  }
  inquiries_.erase(inquiry.self);
  if (client) client->answer(id, verdict);
}

// Its client is gone, and no hook has it.
void Dispatcher::drop(Inquiry& inquiry) {
  if (inquiry.delivery) {
    notices_.refused(*inquiry.delivery, *inquiry.generation, *inquiry.policy, inquiry.number, hook::ResetReason::kLost);
  }
  inquiries_.erase(inquiry.self);
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

// The header fields that a hook adds are there for the hooks after it. False: they cannot be, and that is decided.
bool Dispatcher::takes_headers(Inquiry& inquiry, Verdict& verdict) {
  if (verdict.add_headers.empty()) return true;
  std::vector<mail::AddedHeader> headers = std::exchange(verdict.add_headers, {});
  if (!inquiry.delivery) {
    std::ranges::move(headers, std::back_inserter(inquiry.added_headers));
    return true;
  }
  if (inquiry.last()) return true;  // nobody will see them
  if (const auto added = inquiry.delivery->add_headers(headers); !added) {
    inquiry.delivery->accepted_by.push_back(inquiry.asked);
    spool_failed(inquiry, inquiry.asked->label(), added.error());
    return false;
  }
  return true;
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

void Dispatcher::end_of_turn() {
  // Who is told may ask again at once; that is done within the same turn.
  while (!decisions_.empty() || !busy_.empty()) {
    for (auto decisions = std::exchange(decisions_, {}); const Decision& decision : decisions) {
      decide(*decision.inquiry, decision.verdict);
    }
    for (auto busy = std::exchange(busy_, {}); HookProcess * process : busy) process->end_of_turn();
  }
}

}  // namespace hooksmtpd::worker
