// What hooks are told and nobody waits for: reset, disconnect, cancel. Their replies decide nothing.

#pragma once

#include <string_view>

#include "daemon/worker/client.h"
#include "daemon/worker/delivery.h"
#include "daemon/worker/hook_pools.h"
#include "proto/hook/request.h"

namespace hooksmtpd::worker {

class Notices {
 public:
  explicit Notices(HookPools& pools) : pools_(pools) {}

  // Some process that `client` will talk to wants the dialogue with disconnect.
  bool dialogue_wanted(const Client& client);

  // `disconnect.session` is that client's; `dialogue` goes to those hooks that asked for it.
  void disconnected(const Client& client, hook::Disconnect disconnect, std::string_view dialogue);

  // A transaction came to nothing before any hook was asked to deliver it: for those that are subscribed to reset.
  void reset(const Client& client, std::string_view transaction, hook::ResetReason reason);

  // Nobody gets a message after all: for the hooks that had accepted it, which may want to forget it, and for those
  // that are subscribed to reset. Over LMTP that is one which nobody gets: `reset` cannot say for whom.
  void refused(const Delivery& delivery, const Generation& generation, const Policy& policy, std::uint64_t number,
               hook::ResetReason for_others);

  // Hook `hook` has read the tree that was made for it.
  void tree_over(const Delivery& delivery, std::string_view hook);

  // Nobody waits for the answer to `target` any more. To a hook that takes one request at a time it would come too
  // late.
  void cancel(HookProcess& process, const config::Hook& hook, const hook::SessionFacts& session,
              hook::RequestId target);

 private:
  HookPools& pools_;
};

}  // namespace hooksmtpd::worker
