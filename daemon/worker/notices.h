// What hooks are told and nobody waits for: reset, disconnect, cancel. Their replies decide nothing; that to reset may
// have notes.

#pragma once

#include <list>
#include <string_view>

#include "daemon/worker/client.h"
#include "daemon/worker/delivery.h"
#include "daemon/worker/hook_pools.h"
#include "proto/hook/request.h"

namespace hooksmtpd::worker {

class Inquiry;

class Notices {
 public:
  explicit Notices(HookPools& pools);
  ~Notices();

  // Some process that `client` will talk to wants the dialogue with disconnect.
  bool dialogue_wanted(const Client& client);

  // `disconnect.session` is that client's; `dialogue` goes to those hooks that asked for it.
  void disconnected(const Client& client, hook::Disconnect disconnect, std::string_view dialogue);

  // A transaction came to nothing before any hook was asked to deliver it: for those that are subscribed to reset.
  void reset(Client& client, std::string_view transaction, hook::ResetReason reason);

  // Nobody gets a message after all: for the hooks that had accepted it, which may want to forget it, and, with
  // `for_others`, for the rest of those that are subscribed to reset. Over LMTP that is one which nobody gets: `reset`
  // cannot say for whom.
  void refused(const Inquiry& inquiry, hook::ResetReason for_others);

  // The tree that the mime hook made for the hook that the inquiry has come to is not needed any more.
  void tree_over(const Inquiry& inquiry);

  // Nobody waits any more for what the inquiry's hook was asked. Nothing to a hook that takes one request at a time,
  // for which it would come too late, nor if it has answered.
  void cancel(const Inquiry& inquiry);

  // The client is gone: its notes are nobody's any more.
  void forget(const Client& client);

 private:
  class Told;

  void tell_reset(HookProcess& process, const config::Hook& hook, const hook::Reset& notice, Client* client);

  HookPools& pools_;
  std::list<Told> told_;  // that may note something
};

}  // namespace hooksmtpd::worker
