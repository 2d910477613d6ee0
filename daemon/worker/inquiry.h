// One question of one session, on its way through a chain of hooks.

#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/worker/client.h"
#include "daemon/worker/delivery.h"
#include "daemon/worker/dispatcher.h"
#include "daemon/worker/generation.h"
#include "daemon/worker/hook_process.h"
#include "daemon/worker/policy.h"
#include "proto/mail/added_header.h"

namespace hooksmtpd::worker {

class Inquiry final : public Asker {
 public:
  Inquiry(Dispatcher& dispatcher, Client& client, smtp::QuestionId id, const smtp::Question& question);

  void outcome(Outcome&& outcome) override { dispatcher_.outcome(*this, std::move(outcome)); }
  sys::About about() const override;
  // The same with the hook that it has come to.
  sys::About about_hook() const;
  std::string tag() const { return tag_of(about()); }
  std::optional<std::string> message(std::size_t most) const override;
  Dispatcher& dispatcher() const { return dispatcher_; }

  // Appends the request for the hook that it has come to. `message`: where that hook finds the message, or empty: it
  // gets it inline.
  hook::Written write(std::string& line, hook::RequestId id, const std::string& path) const;

  const config::Hook& hook() const { return generation->config.hooks[policy->chain(event)[position]]; }
  bool last() const { return position + 1 == policy->chain(event).size(); }
  // What that hook is asked: of a message, what it is subscribed to.
  config::HookEvent asked_event() const;
  // Before it can be asked, the mime hook has to make a tree of the message.
  bool needs_tree() const;
  const config::Hook& mime_hook() const;
  // `asked` wants the message in the request, and it fits.
  bool goes_inline() const;

  // What the hook that it has come to is told of the session; none once the client is gone, unless about a message.
  std::optional<hook::SessionFacts> facts() const;
  // That hook noted something.
  void note(std::string notes);

  GenerationPtr generation;
  const Policy* policy;  // of generation
  Client* client;        // nullptr: gone
  smtp::QuestionId id;
  const smtp::Question* question;  // while the client is there
  config::HookEvent event;         // by which the chain goes: of a message kDeliver
  std::size_t position = 0;        // in the chain
  HookProcess* asked = nullptr;    // the one that was asked last,
  hook::RequestId request = 0;     // and under which id
  bool making_tree = false;        // that is the mime hook
  // What the hooks so far have changed, of a question that is not about a message.
  std::optional<mail::ReversePath> rewritten{};
  std::vector<mail::AddedHeader> added_headers{};
  std::unique_ptr<Delivery> delivery;  // of kDeliver
  // While a verdict waits for its time.
  struct Delay {
    Event timer;
    mail::Verdict verdict;
  };
  std::unique_ptr<Delay> delay{};
  std::uint64_t number;                 // the client's
  std::list<Inquiry>::iterator self{};  // in the dispatcher's list

 private:
  hook::Written write_message(std::string& line, hook::RequestId id, const std::string& path) const;

  Dispatcher& dispatcher_;
};

hook::Event to_protocol(config::HookEvent event);

}  // namespace hooksmtpd::worker
