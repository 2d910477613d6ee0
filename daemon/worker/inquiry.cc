#include "daemon/worker/inquiry.h"

#include <fmt/format.h>

#include <cassert>
#include <chrono>
#include <cstdlib>
#include <variant>

#include "daemon/worker/utc.h"
#include "proto/sasl/credentials.h"
#include "proto/smtp/trace.h"

namespace hooksmtpd::worker {
namespace {

config::HookEvent event_of(const smtp::Question& question) {
  struct {
    config::HookEvent operator()(const smtp::question::Host&) { return config::HookEvent::kValidateHost; }
    config::HookEvent operator()(const smtp::question::Auth&) { return config::HookEvent::kAuth; }
    config::HookEvent operator()(const smtp::question::Sender&) { return config::HookEvent::kValidateSender; }
    config::HookEvent operator()(const smtp::question::Recipient&) { return config::HookEvent::kValidateRecipient; }
    config::HookEvent operator()(const smtp::question::Message&) { return config::HookEvent::kDeliver; }
    // Settings::judged has none of these.
    config::HookEvent operator()(const smtp::question::Starttls&) { std::abort(); }
    config::HookEvent operator()(const smtp::question::Helo&) { std::abort(); }
    config::HookEvent operator()(const smtp::question::Data&) { std::abort(); }
    config::HookEvent operator()(const smtp::question::Command&) { std::abort(); }
  } event;
  return std::visit(event, question);
}

}  // namespace

hook::Event to_protocol(config::HookEvent event) {
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
      number(asking.number()),
      dispatcher_(dispatcher) {
  if (event != config::HookEvent::kDeliver) return;
  const smtp::Transaction& transaction = *asking.session().transaction();
  delivery = std::make_unique<Delivery>(Delivery{.session = Snapshot(asking.facts(), asking.session().tls()),
                                                 .transaction = transaction.id,
                                                 .envelope = transaction.envelope,
                                                 .received_at = utc_now(),
                                                 .eight_bit = transaction.data.eight_bit(),
                                                 .long_lines = transaction.data.long_lines(),
                                                 .body = asking.take_body()});
  if (policy->settings().protocol == smtp::Settings::Protocol::kLmtp) {
    delivery->recipient_verdicts.emplace(delivery->envelope.recipients.size());
  }
}

std::string Inquiry::tag() const {
  if (delivery) return "message=" + delivery->transaction;
  return client ? "session=" + client->session().id() : "";
}

std::optional<std::string> Inquiry::message(std::size_t most) const {
  if (!delivery || delivery->body->size() > most) return std::nullopt;
  return delivery->body->head(most);
}

hook::Written Inquiry::write(std::string& line, hook::RequestId request, const std::string& path) const {
  if (delivery) {
    const hook::SessionFacts facts = delivery->session.facts();
    return append_request(line, request,
                          hook::Deliver{.session = facts,
                                        .transaction = delivery->transaction,
                                        .envelope = delivery->envelope,
                                        .received_at = delivery->received_at,
                                        .message = {.size = delivery->body->size(),
                                                    .eight_bit = delivery->eight_bit,
                                                    .long_lines = delivery->long_lines,
                                                    .trace_headers = smtp::kTraceHeaders,
                                                    .path = path}});
  }
  assert(client);
  const hook::SessionFacts facts = client->facts();
  if (const auto* auth = std::get_if<smtp::question::Auth>(question)) {
    const sasl::Credentials& claimed = auth->credentials;
    const auto given = [](const std::string& secret) {
      return secret.empty() ? std::nullopt : std::optional<std::string_view>(secret);
    };
    const bool has_password =
        claimed.mechanism == sasl::Mechanism::kPlain || claimed.mechanism == sasl::Mechanism::kLogin;
    return append_request(
        line, request,
        hook::Auth{.session = facts,
                   .mechanism = to_string(claimed.mechanism),
                   .authorization_id = claimed.authorization_id,
                   .user = claimed.user,
                   .password = has_password ? std::optional<std::string_view>(claimed.password) : std::nullopt,
                   .token = given(claimed.token),
                   .challenge = given(claimed.challenge),
                   .digest = given(claimed.digest)});
  }
  if (const auto* sender = std::get_if<smtp::question::Sender>(question)) {
    return append_request(line, request,
                          hook::ValidateSender{.session = facts,
                                               .transaction = client->session().transaction_id(),
                                               .from = sender->reverse_path,
                                               .params = sender->params});
  }
  if (const auto* recipient = std::get_if<smtp::question::Recipient>(question)) {
    const smtp::Transaction& transaction = *client->session().transaction();
    const mail::Recipient to{.mailbox = recipient->mailbox, .params = recipient->params};
    return append_request(line, request,
                          hook::ValidateRecipient{.session = facts,
                                                  .transaction = transaction.id,
                                                  .from = transaction.envelope.reverse_path,
                                                  .accepted = transaction.envelope.recipients.size(),
                                                  .to = to});
  }
  return append_request(line, request, hook::ValidateHost{.session = facts});
}

}  // namespace hooksmtpd::worker
