#include "daemon/worker/inquiry.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "daemon/worker/write_question.h"
#include "proto/smtp/trace.h"

namespace hooksmtpd::worker {
namespace {

using config::HookEvent;

HookEvent event_of(const smtp::Question& question) {
  struct {
    HookEvent operator()(const smtp::question::Host&) { return HookEvent::kValidateHost; }
    HookEvent operator()(const smtp::question::Starttls&) { return HookEvent::kStarttls; }
    HookEvent operator()(const smtp::question::Helo&) { return HookEvent::kHelo; }
    HookEvent operator()(const smtp::question::Auth&) { return HookEvent::kAuth; }
    HookEvent operator()(const smtp::question::Sender&) { return HookEvent::kValidateSender; }
    HookEvent operator()(const smtp::question::Recipient&) { return HookEvent::kValidateRecipient; }
    HookEvent operator()(const smtp::question::Data&) { return HookEvent::kData; }
    HookEvent operator()(const smtp::question::Message&) { return HookEvent::kDeliver; }
    HookEvent operator()(const smtp::question::Command&) { return HookEvent::kCommand; }
  } event;
  return std::visit(event, question);
}

}  // namespace

hook::Event to_protocol(HookEvent event) {
  static_assert(static_cast<std::size_t>(hook::Event::kCancel) == config::kHookEvents, "hello, and then the same");
  return static_cast<hook::Event>(static_cast<std::uint8_t>(event) + 1);
}

Inquiry::Inquiry(Dispatcher& dispatcher, Client& asking, smtp::QuestionId question_id, const smtp::Question& asked_for)
    : generation(asking.generation()),
      policy(&asking.policy()),
      client(&asking),
      id(question_id),
      question(&asked_for),
      event(event_of(asked_for)),
      delivery(event == HookEvent::kDeliver ? std::make_unique<Delivery>(asking) : nullptr),
      number(asking.number()),
      dispatcher_(dispatcher) {}

sys::About Inquiry::about() const {
  if (delivery) {
    const std::string_view transaction = delivery->transaction;  // the session's id and a number
    return {.session = transaction.substr(0, transaction.rfind('-')), .transaction = transaction};
  }
  return {.session = client ? std::string_view(client->session().id()) : std::string_view()};
}

sys::About Inquiry::about_hook() const {
  sys::About what = about();
  if (asked != nullptr) what.hook = asked->name();
  return what;
}

std::optional<std::string> Inquiry::message(std::size_t most) const {
  if (!delivery || delivery->body->size() > most) return std::nullopt;
  return delivery->body->head(most);
}

HookEvent Inquiry::asked_event() const {
  return delivery && hook().on(HookEvent::kDeliverMime).subscribed ? HookEvent::kDeliverMime : event;
}

bool Inquiry::needs_tree() const {
  return delivery && delivery->tree.empty() && asked_event() == HookEvent::kDeliverMime;
}

const config::Hook& Inquiry::mime_hook() const {
  const auto& hooks = generation->config.hooks;
  const auto mime = std::ranges::find(hooks, config::kMimeHook, &config::Hook::name);
  assert(mime != hooks.end() && "load() adds it where a hook wants trees");
  return *mime;
}

bool Inquiry::goes_inline() const {
  if (!asked->hello().inline_body) return false;
  const Body& body = *delivery->body;
  return body.in_memory().size() == body.size() && hook::fits_inline(body.in_memory());
}

std::optional<hook::SessionFacts> Inquiry::facts() const {
  if (delivery) return delivery->facts(hook().name);
  if (!client) return std::nullopt;
  hook::SessionFacts facts = client->snapshot()->facts();
  facts.notes = std::as_const(*client).notes().of(hook().name);
  return facts;
}

void Inquiry::note(std::string notes) {
  if (delivery) delivery->notes.set(hook().name, notes);
  if (client) client->notes().set(hook().name, std::move(notes));
}

hook::Written Inquiry::write(std::string& line, hook::RequestId request_id, const std::string& path) const {
  if (delivery) return write_message(line, request_id, path);
  assert(client);
  return write_question(line, request_id, *question, client->session(), *facts(), rewritten);
}

hook::Written Inquiry::write_message(std::string& line, hook::RequestId request_id, const std::string& path) const {
  const hook::SessionFacts facts = delivery->facts(making_tree ? std::string_view() : hook().name);
  hook::Deliver deliver{.session = facts,
                        .transaction = delivery->transaction,
                        .envelope = delivery->envelope,
                        .received_at = delivery->received_at,
                        .message = {.size = delivery->body->size(),
                                    .eight_bit = delivery->eight_bit,
                                    .long_lines = delivery->long_lines,
                                    .trace_headers = smtp::kTraceHeaders,
                                    .added_headers = delivery->added_headers,
                                    .path = path}};
  if (path.empty()) deliver.message.inline_body = delivery->body->in_memory();
  if (making_tree)
    return append_request(line, request_id, hook::DeliverMime{.deliver = deliver, .for_hook = hook().name});
  if (asked_event() == HookEvent::kDeliver) return append_request(line, request_id, deliver);
  return append_request(line, request_id, hook::DeliverMime{.deliver = deliver, .mime = delivery->tree});
}

}  // namespace hooksmtpd::worker
