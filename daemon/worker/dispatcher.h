// Between sessions and hooks: takes a session's question through the hooks that are asked about it, one after another
// in configured order, and brings back the verdict (DESIGN.md section 4, rule 10).

#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/sys/log.h"
#include "daemon/worker/body.h"
#include "daemon/worker/event.h"
#include "daemon/worker/generation.h"
#include "daemon/worker/hook_process.h"
#include "proto/hook/request.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

class Inquiry;

// A session that asks. While it has questions out, forget() must be called before it goes.
class Client {
 public:
  virtual void answer(smtp::QuestionId question, const mail::Verdict& verdict) = 0;
  virtual hook::SessionFacts facts() const = 0;
  virtual const smtp::Session& session() const = 0;
  virtual const GenerationPtr& generation() const = 0;
  virtual const Policy& policy() const = 0;       // of that generation
  virtual std::uint64_t number() const = 0;       // which instance of a hook it talks to follows from it
  virtual std::unique_ptr<Body> take_body() = 0;  // the message that it just received

 protected:
  ~Client() = default;
};

class Dispatcher {
 public:
  // `restart` and `state` as HookProcess::Surroundings has them.
  Dispatcher(event_base* base, sys::Log& log, HookProcess::Surroundings surroundings);
  ~Dispatcher();

  // Makes the processes of hooks that were not there before; they are absent until started.
  void add_hooks(const config::Config& config);
  HookProcess* find(const std::string& hook, std::uint32_t instance);
  template <class Visit>
  void for_each_process(Visit visit) {
    for (auto& [name, pool] : pools_) {
      for (auto& process : pool) visit(*process);
    }
  }

  // Asks; the client is answered later, never from within.
  void ask(Client& client, smtp::QuestionId id, const smtp::Question& question);
  // The client is gone: it is not answered. A message that some hook has seen is still delivered to all of them.
  void forget(const Client& client);
  // Tells the hooks that want to know. `disconnect.session` is that client's.
  void disconnected(const Client& client, const hook::Disconnect& disconnect);

  // Writes what has to be written and tells who has to be told. Call it once per turn of the event loop.
  void end_of_turn();
  // Nothing is with any hook.
  bool quiet() const;

 private:
  friend class Inquiry;
  struct Decision {
    Inquiry* inquiry;
    mail::Verdict verdict;
  };

  HookProcess& process_for(const config::Hook& hook, std::uint64_t number);
  void step(Inquiry& inquiry);
  void outcome(Inquiry& inquiry, Outcome outcome);
  void decide(Inquiry& inquiry, const mail::Verdict& verdict);
  void decide_later(Inquiry& inquiry, mail::Verdict verdict);
  void decide_after(Inquiry& inquiry, mail::Verdict verdict, std::chrono::milliseconds delay);
  void failed(Inquiry& inquiry, std::string_view reason);
  bool takes_recipients(const Inquiry& inquiry, mail::Verdict& verdict);
  void take_back(Inquiry& inquiry);
  bool place(Inquiry& inquiry, const config::Hook& hook, std::string& path);

  event_base* base_;
  sys::Log& log_;
  HookProcess::Surroundings surroundings_;
  std::map<std::string, std::vector<std::unique_ptr<HookProcess>>, std::less<>> pools_;
  std::list<Inquiry> inquiries_;
  std::vector<Decision> decisions_;
  std::vector<HookProcess*> busy_;
  std::set<std::string, std::less<>> noted_;  // hooks that judge recipients where nobody can be told
};

}  // namespace hooksmtpd::worker
