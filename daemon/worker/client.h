// A session as the dispatcher sees it: it asks, and is answered.

#pragma once

#include <cstdint>
#include <memory>

#include "daemon/worker/body.h"
#include "daemon/worker/entry.h"
#include "daemon/worker/generation.h"
#include "daemon/worker/notes.h"
#include "daemon/worker/snapshot.h"
#include "proto/mail/added_header.h"
#include "proto/smtp/session.h"

namespace hooksmtpd::worker {

// While it has questions out, Dispatcher::forget() must be called before it goes.
class Client {
 public:
  virtual void answer(smtp::QuestionId question, const mail::Verdict& verdict) = 0;
  virtual const SnapshotPtr& snapshot() = 0;  // of the session, until something of it changes
  virtual const smtp::Session& session() const = 0;
  virtual const GenerationPtr& generation() const = 0;
  virtual const Policy& policy() const = 0;       // of that generation
  virtual std::uint64_t number() const = 0;       // which instance of a hook it talks to follows from it
  virtual std::unique_ptr<Body> take_body() = 0;  // the message that it just received
  virtual Notes& notes() = 0;
  virtual const Notes& notes() const = 0;
  // What hooks have added so far to the message that is under way.
  virtual mail::AddedSize& added() = 0;
  // What a hook said to a question of this session, for its dialogue.
  virtual void hook_said(const HookEntry& entry) = 0;

 protected:
  ~Client() = default;
};

}  // namespace hooksmtpd::worker
