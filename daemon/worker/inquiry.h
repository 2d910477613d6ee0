// One question of one session, on its way through a chain of hooks.

#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/worker/body.h"
#include "daemon/worker/dispatcher.h"
#include "daemon/worker/generation.h"
#include "daemon/worker/hook_process.h"
#include "daemon/worker/policy.h"
#include "daemon/worker/recipient_verdicts.h"
#include "daemon/worker/snapshot.h"
#include "proto/mail/envelope.h"

namespace hooksmtpd::worker {

// What `deliver` needs when its client may be gone.
struct Delivery {
  Snapshot session;
  std::string transaction;
  mail::Envelope envelope;                                // over LMTP, without those that some hook did not accept
  std::optional<RecipientVerdicts> recipient_verdicts{};  // over LMTP
  std::string received_at;
  bool eight_bit = false;
  std::uint64_t long_lines = 0;
  std::unique_ptr<Body> body;
  std::vector<HookProcess*> accepted_by{};
};

class Inquiry final : public Asker {
 public:
  Inquiry(Dispatcher& dispatcher, Client& client, smtp::QuestionId id, const smtp::Question& question);

  void outcome(Outcome outcome) override { dispatcher_.outcome(*this, std::move(outcome)); }
  std::string tag() const override;
  std::optional<std::string> message(std::size_t most) const override;

  // Appends the request for the hook that it has come to. `path`: where that hook finds the message.
  hook::Written write(std::string& line, hook::RequestId id, const std::string& path) const;

  const config::Hook& hook() const { return generation->config.hooks[policy->chain(event)[position]]; }
  bool last() const { return position + 1 == policy->chain(event).size(); }

  GenerationPtr generation;
  const Policy* policy;  // of generation
  Client* client;        // nullptr: gone
  smtp::QuestionId id;
  const smtp::Question* question;  // while the client is there
  config::HookEvent event;
  std::size_t position = 0;             // in the chain
  HookProcess* asked = nullptr;         // the one that was asked last
  std::unique_ptr<Delivery> delivery;   // of kDeliver
  std::uint64_t number;                 // the client's
  std::list<Inquiry>::iterator self{};  // in the dispatcher's list

 private:
  Dispatcher& dispatcher_;
};

hook::Event to_protocol(config::HookEvent event);

}  // namespace hooksmtpd::worker
