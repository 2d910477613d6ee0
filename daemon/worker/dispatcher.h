// Between sessions and hooks: takes a session's question through the hooks that are asked about it, one after another
// in configured order, and brings back the verdict (DESIGN.md section 4, rule 10).
//
// A hook that gets messages as a tree of their parts (`deliver_mime`) is asked in two steps: the mime hook makes the
// tree, and then it is asked.

#pragma once

#include <chrono>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/sys/log.h"
#include "daemon/worker/client.h"
#include "daemon/worker/event.h"
#include "daemon/worker/hook_pools.h"
#include "daemon/worker/notices.h"
#include "proto/hook/request.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

class Inquiry;

class Dispatcher {
 public:
  // `restart` and `state` as HookProcess::Surroundings has them.
  Dispatcher(event_base* base, sys::Log& log, HookProcess::Surroundings surroundings);
  ~Dispatcher();

  HookPools& hooks() { return pools_; }
  Notices& notices() { return notices_; }

  // Asks; the client is answered later, never from within.
  void ask(Client& client, smtp::QuestionId id, const smtp::Question& question);
  // The client is gone: it is not answered. A message that some hook has seen is still delivered to all of them.
  void forget(const Client& client);

  // Writes what has to be written and tells who has to be told. Call it once per turn of the event loop.
  void end_of_turn();
  // Nothing is with any hook.
  bool quiet() const { return inquiries_.empty() && pools_.quiet(); }

 private:
  friend class Inquiry;
  struct Decision {
    Inquiry* inquiry;
    mail::Verdict verdict;
  };

  void step(Inquiry& inquiry);
  bool place(Inquiry& inquiry, const config::Hook& hook, std::string& path);
  void abandon(Inquiry& inquiry);
  void outcome(Inquiry& inquiry, Outcome&& outcome);
  void tell_client(Inquiry& inquiry, const Outcome& outcome);
  void tree_made(Inquiry& inquiry, Outcome&& outcome);
  void tree_is_read(Inquiry& inquiry);
  void judged(Inquiry& inquiry, Outcome&& outcome);
  void log_verdict(const Inquiry& inquiry, const mail::Verdict& verdict);
  bool takes_recipients(const Inquiry& inquiry, mail::Verdict& verdict);
  static bool takes_headers(mail::AddedSize& all, const mail::Verdict& verdict);
  void failed(Inquiry& inquiry, std::string_view reason);
  void spool_failed(Inquiry& inquiry, std::string_view hook, int error);
  void decide(Inquiry& inquiry, mail::Verdict&& verdict);
  void decide_later(Inquiry& inquiry, mail::Verdict verdict);
  void decide_after(Inquiry& inquiry, mail::Verdict verdict, std::chrono::milliseconds delay);
  bool go_on(Inquiry& inquiry, mail::Verdict& verdict);
  void drop(Inquiry& inquiry);

  event_base* base_;
  sys::Log& log_;
  std::vector<HookProcess*> busy_;
  HookPools pools_;
  Notices notices_;
  std::list<Inquiry> inquiries_;
  std::vector<Decision> decisions_;
  std::set<std::string, std::less<>> noted_;  // hooks that judge recipients where nobody can be told
};

}  // namespace hooksmtpd::worker
