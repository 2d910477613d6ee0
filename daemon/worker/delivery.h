// A message on its way through the hooks that get it: all that they are told of it, kept here since its client may be
// gone by then.

#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/worker/body.h"
#include "daemon/worker/client.h"
#include "daemon/worker/hook_process.h"
#include "daemon/worker/notes.h"
#include "daemon/worker/recipient_verdicts.h"
#include "daemon/worker/snapshot.h"
#include "proto/hook/request.h"
#include "proto/mail/added_header.h"
#include "proto/mail/envelope.h"

namespace hooksmtpd::worker {

struct Delivery {
  // Takes the message that `client` just received.
  explicit Delivery(Client& client);

  // What hook `hook` is told of the session.
  hook::SessionFacts facts(std::string_view hook) const;

  // Puts header fields below those that are there of us and of other hooks: the hooks that come next see them. The
  // error is errno; the message is as it was then.
  std::expected<void, int> add_headers(std::span<const mail::AddedHeader> headers);

  SnapshotPtr session;
  std::string transaction;
  mail::Envelope envelope;                                // over LMTP, without those that some hook did not accept
  std::optional<RecipientVerdicts> recipient_verdicts{};  // over LMTP
  std::string received_at;
  bool eight_bit = false;
  std::uint64_t long_lines = 0;
  std::unique_ptr<Body> body;
  std::size_t prefix = 0;           // octets of our trace fields and those that hooks have added
  std::uint32_t added_headers = 0;  // fields in it
  mail::AddedSize added;            // with those that are still to be put into it
  Notes notes;
  std::vector<HookProcess*> accepted_by{};

  // For the hook that it has come to, if that gets messages as a tree (`deliver_mime`).
  std::string tree{};              // a JSON object; empty: not made yet
  HookProcess* tree_by = nullptr;  // who made it, and keeps its files until it is told that it is over
};

}  // namespace hooksmtpd::worker
