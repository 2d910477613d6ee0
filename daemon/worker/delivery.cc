#include "daemon/worker/delivery.h"

#include "daemon/worker/utc.h"
#include "proto/smtp/settings.h"

namespace hooksmtpd::worker {

Delivery::Delivery(Client& client)
    : session(client.snapshot()),
      transaction(client.session().transaction()->id),
      envelope(client.session().transaction()->envelope),
      received_at(utc_now()),
      eight_bit(client.session().transaction()->data.eight_bit()),
      long_lines(client.session().transaction()->data.long_lines()),
      body(client.take_body()),
      prefix(client.session().transaction()->prefix),
      added_headers(static_cast<std::uint32_t>(client.session().transaction()->added_headers.size())),
      added(client.added()),
      notes(static_cast<const Client&>(client).notes()) {
  if (client.policy().settings().protocol == smtp::Settings::Protocol::kLmtp) {
    recipient_verdicts.emplace(envelope.recipients.size());
  }
}

hook::SessionFacts Delivery::facts(std::string_view hook) const {
  hook::SessionFacts facts = session->facts();
  facts.notes = notes.of(hook);
  return facts;
}

std::expected<void, int> Delivery::add_headers(std::span<const mail::AddedHeader> headers) {
  std::string fields;
  for (const mail::AddedHeader& header : headers) {
    fields.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (const auto done = body->insert(prefix, fields); !done) return done;
  prefix += fields.size();
  added_headers += static_cast<std::uint32_t>(headers.size());
  return {};
}

}  // namespace hooksmtpd::worker
