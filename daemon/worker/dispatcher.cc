#include "daemon/worker/dispatcher.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "daemon/sys/error.h"
#include "daemon/worker/fallback.h"
#include "daemon/worker/inquiry.h"

namespace hooksmtpd::worker {

using mail::Action;
using mail::Verdict;

// Octets: so long are nearly all requests, unless there is TLS or there are many recipients.
constexpr std::size_t kUsualRequest = 640;

constexpr std::string_view kTooManyHeaders =
    "\"add_headers\": all hooks together may add 100 fields and 64 KiB to one message";
static_assert(mail::kMostAdded == mail::AddedSize{.fields = 100, .octets = 64 * 1024});

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

void Dispatcher::forget(const Client& client) {
  for (auto inquiry = inquiries_.begin(); inquiry != inquiries_.end();) {
    const auto next = std::next(inquiry);
    if (inquiry->client == &client) abandon(*inquiry);
    inquiry = next;
  }
}

// What no hook has seen yet is not asked any more: the client was told nothing, and will send the message again. What
// is decided already need not wait until it would be told.
void Dispatcher::abandon(Inquiry& inquiry) {
  const bool seen = inquiry.delivery && !inquiry.delivery->accepted_by.empty();
  if (inquiry.delay && !inquiry.delivery) return drop(inquiry);
  if (inquiry.delay) {
    decide_later(inquiry, std::exchange(inquiry.delay, nullptr)->verdict);
  } else if (!seen && inquiry.asked && inquiry.asked->take_back(inquiry)) {
    return drop(inquiry);
  } else if (inquiry.asked && !inquiry.making_tree) {
    notices_.cancel(inquiry);
  }
  inquiry.client = nullptr;
  inquiry.question = nullptr;
}

// Its client is gone, and no hook has it.
void Dispatcher::drop(Inquiry& inquiry) {
  tree_is_read(inquiry);
  if (inquiry.delivery) notices_.refused(inquiry, hook::ResetReason::kLost);
  inquiries_.erase(inquiry.self);
}

// Asks the hook that the inquiry has come to; first the mime hook, if that one wants a tree.
void Dispatcher::step(Inquiry& inquiry) {
  inquiry.making_tree = inquiry.needs_tree();
  const config::Hook& hook = inquiry.making_tree ? inquiry.mime_hook() : inquiry.hook();
  HookProcess& process = pools_.process_for(hook, inquiry.number);
  inquiry.asked = &process;
  inquiry.request = process.next_id();  // of that process from now on, whatever comes of it: a `cancel` names both
  std::string path;
  if (inquiry.delivery && !inquiry.goes_inline() && !place(inquiry, hook, path)) return;
  const config::EventPolicy& policy = hook.on(inquiry.asked_event());
  Request request{.id = inquiry.request,
                  .event = to_protocol(inquiry.asked_event()),
                  .line = {},
                  .timeout = policy.timeout,
                  .asker = &inquiry};
  request.line.reserve(kUsualRequest);
  if (!inquiry.write(request.line, request.id, path)) {
    log_.warn(inquiry.about_hook(), "hook {} {}: the request is too long to be asked", process.label(), inquiry.tag());
    return decide_later(inquiry,
                        inquiry.delivery ? fallback::on_long_delivery() : fallback::on_failure(policy.on_failure));
  }
  process.ask(std::move(request));
}

// Puts the message where the hook can read it; otherwise the inquiry is decided.
bool Dispatcher::place(Inquiry& inquiry, const config::Hook& hook, std::string& path) {
  auto placed = inquiry.delivery->body->place_for(hook.name);
  if (placed) {
    path = *std::move(placed);
    return true;
  }
  spool_failed(inquiry, hook.name, placed.error());
  return false;
}

void Dispatcher::spool_failed(Inquiry& inquiry, std::string_view hook, int error) {
  log_.error(inquiry.about_hook(), "spool message={} hook={} error=\"{}\"", inquiry.delivery->transaction, hook,
             sys::errno_text(error));
  decide_later(inquiry, fallback::on_spool_error(error));
}

void Dispatcher::outcome(Inquiry& inquiry, Outcome&& outcome) {
  if (inquiry.delivery) inquiry.delivery->body->withdraw();
  tell_client(inquiry, outcome);
  if (inquiry.making_tree) return tree_made(inquiry, std::move(outcome));
  tree_is_read(inquiry);
  if (outcome.late) notices_.cancel(inquiry);
  if (outcome.notes) inquiry.note(*std::move(outcome.notes));
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

// What the mime hook refuses, a message of too many parts, is refused for the hook that wanted the tree. Where only the
// mime hook has seen a message whose client is gone, nobody has: the client will send it again.
void Dispatcher::tree_made(Inquiry& inquiry, Outcome&& outcome) {
  Delivery& delivery = *inquiry.delivery;
  if (outcome.kind != Outcome::kQueueFull) delivery.tree_by = inquiry.asked;
  if (!inquiry.client && delivery.accepted_by.empty()) return drop(inquiry);
  if (outcome.kind != Outcome::kVerdict || outcome.verdict.action != Action::kAccept) {
    return judged(inquiry, std::move(outcome));
  }
  if (outcome.mime.empty()) return failed(inquiry, "it gave no tree of the message");
  delivery.tree = std::move(outcome.mime);
  step(inquiry);
}

// The hook that the tree was made for has answered, or never will: the mime hook may take its files away.
void Dispatcher::tree_is_read(Inquiry& inquiry) {
  if (!inquiry.delivery || !inquiry.delivery->tree_by) return;
  notices_.tree_over(inquiry);
  inquiry.delivery->tree_by = nullptr;
  inquiry.delivery->tree.clear();
}

void Dispatcher::judged(Inquiry& inquiry, Outcome&& outcome) {
  switch (outcome.kind) {
    case Outcome::kVerdict:
      if (!takes_recipients(inquiry, outcome.verdict)) {
        return failed(inquiry, "`recipients` must have one verdict for each recipient that was asked about, in order");
      }
      if (inquiry.delivery && !takes_headers(inquiry.delivery->added, outcome.verdict)) {
        return failed(inquiry, kTooManyHeaders);
      }
      log_verdict(inquiry, outcome.verdict);
      if (outcome.delay.count() > 0) return decide_after(inquiry, std::move(outcome.verdict), outcome.delay);
      return decide(inquiry, std::move(outcome.verdict));
    case Outcome::kFailed:
      return failed(inquiry, outcome.reason);
    case Outcome::kQueueFull:
      log_.warn(inquiry.about_hook(), "hook {} busy event={} {}: {}", inquiry.asked->label(),
                config::to_string(inquiry.asked_event()), inquiry.tag(), outcome.reason);
      return decide(inquiry, fallback::on_full_queue(inquiry.event));
  }
}

void Dispatcher::log_verdict(const Inquiry& inquiry, const Verdict& verdict) {
  const std::string_view event = config::to_string(inquiry.asked_event());
  if (log_.enabled(sys::LogLevel::kDebug)) {
    log_.debug(inquiry.about_hook(), "verdict hook={} event={} {} action={} code={}", inquiry.asked->label(), event,
               inquiry.tag(), to_string(verdict.action), verdict.code);
  }
  if (verdict.action == Action::kAccept || verdict.text.empty()) return;
  log_.info(inquiry.about_hook(), "verdict hook={} event={} {} action={} text={}", inquiry.asked->label(), event,
            inquiry.tag(), to_string(verdict.action), sys::quoted(verdict.text.front()));
}

// A message of which no tree could be made is deferred, whatever its hook's on_failure.
void Dispatcher::failed(Inquiry& inquiry, std::string_view reason) {
  const config::HookEvent event = inquiry.asked_event();
  Verdict verdict =
      fallback::on_failure(inquiry.making_tree ? config::OnFailure::kTempfail : inquiry.hook().on(event).on_failure);
  log_.warn(inquiry.about_hook(), "hook {} failed event={} {} on_failure={}: {}", inquiry.asked->label(),
            config::to_string(event), inquiry.tag(), to_string(verdict.action), reason);
  decide(inquiry, std::move(verdict));
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

// Counts the header fields that a verdict adds to a message, or to one that is still to come. False: they are too many.
bool Dispatcher::takes_headers(mail::AddedSize& all, const Verdict& verdict) {
  const mail::AddedSize with_them = all + mail::size_of(verdict.add_headers);
  if (!mail::fits(with_them)) return false;
  all = with_them;
  return true;
}

void Dispatcher::decide(Inquiry& inquiry, Verdict&& given) {
  tree_is_read(inquiry);
  Delivery* const delivery = inquiry.delivery.get();
  const bool lmtp = delivery && delivery->recipient_verdicts && given.action != Action::kClose;
  bool accepted = given.action == Action::kAccept;
  if (lmtp) {
    delivery->recipient_verdicts->apply(given, delivery->envelope.recipients);
    accepted = delivery->recipient_verdicts->anybody_left();
  }
  if (accepted && go_on(inquiry, given)) return;
  Verdict verdict = lmtp ? delivery->recipient_verdicts->result() : std::move(given);
  if (accepted) {
    verdict.rewrite = std::move(inquiry.rewritten);
    verdict.add_headers = std::move(inquiry.added_headers);
  }
  if (accepted && !delivery && inquiry.client && !takes_headers(inquiry.client->added(), verdict)) {
    log_.warn(inquiry.about(), "hooks failed event={} {} on_failure=defer: {}", config::to_string(inquiry.event),
              inquiry.tag(), kTooManyHeaders);
    verdict = fallback::on_failure(config::OnFailure::kTempfail);
  }
  if (delivery && (lmtp ? delivery->recipient_verdicts->in_vain() : !mail::accepts(verdict))) {
    notices_.refused(inquiry, hook::ResetReason::kFailed);
  }
  Client* const client = inquiry.client;
  const smtp::QuestionId id = inquiry.id;
  if (!client && delivery) {
    log_.info(inquiry.about(), "message id={} outcome={} the client was gone and did not hear it",
              delivery->transaction, to_string(verdict.action));
  }
  inquiries_.erase(inquiry.self);
  if (client) client->answer(id, verdict);
}

// The hook it has come to has accepted, and may have changed something: what there is to be done for those behind it.
// False: there are none.
bool Dispatcher::go_on(Inquiry& inquiry, Verdict& verdict) {
  Delivery* const delivery = inquiry.delivery.get();
  if (delivery && inquiry.asked) delivery->accepted_by.push_back(inquiry.asked);
  if (verdict.rewrite) inquiry.rewritten = std::move(verdict.rewrite);
  if (!delivery) std::ranges::move(verdict.add_headers, std::back_inserter(inquiry.added_headers));
  if (inquiry.last() || !(inquiry.client || delivery)) return false;
  if (delivery && !verdict.add_headers.empty()) {
    if (const auto added = delivery->add_headers(verdict.add_headers); !added) {
      spool_failed(inquiry, inquiry.asked->name(), added.error());
      return true;
    }
  }
  ++inquiry.position;
  step(inquiry);
  return true;
}

void Dispatcher::decide_later(Inquiry& inquiry, Verdict verdict) {
  decisions_.push_back({.inquiry = &inquiry, .verdict = std::move(verdict)});
}

void Dispatcher::decide_after(Inquiry& inquiry, Verdict verdict, std::chrono::milliseconds delay) {
  const auto callback = [](evutil_socket_t, short, void* argument) noexcept {
    auto& due = *static_cast<Inquiry*>(argument);
    due.dispatcher().decide(due, std::move(std::exchange(due.delay, nullptr)->verdict));
  };
  inquiry.delay = std::make_unique<Inquiry::Delay>(
      Inquiry::Delay{.timer = Event(evtimer_new(base_, callback, &inquiry)), .verdict = std::move(verdict)});
  const timeval tv = to_timeval(delay);
  evtimer_add(inquiry.delay->timer.get(), &tv);
}

void Dispatcher::end_of_turn() {
  // Who is told may ask again at once; that is done within the same turn.
  while (!decisions_.empty() || !busy_.empty()) {
    for (auto decisions = std::exchange(decisions_, {}); Decision & decision : decisions) {
      decide(*decision.inquiry, std::move(decision.verdict));
    }
    for (auto busy = std::exchange(busy_, {}); HookProcess * process : busy) process->end_of_turn();
  }
}

}  // namespace hooksmtpd::worker
