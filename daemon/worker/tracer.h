// What happens in sessions and between us and the hooks, told live to whoever subscribed to it: `hooksmtpctl trace`,
// `expect` and `hook record`.
//
// Whoever has something to tell asks listening() first: while nobody subscribes, that branch is all that tracing costs.
// A line is an entry (entry.h) with the moment and the session before it:
//
//   {"time":"…","session":"c7f3a1","listener":"smtp","client":"192.0.2.7","ms":12,"from":"client","line":"EHLO x"}
//   {…,"ms":0,"from":"daemon","what":"begin"}
//   {…,"ms":812,"from":"daemon","what":"end","reason":"quit"}
//   {…,"from":"daemon","what":"request","hook":"policy","instance":1,"event":"helo","request":{…}}
//   {…,"from":"hook","hook":"policy","instance":1,"event":"helo","action":"accept","took_ms":3.2,"id":7,"reply":"ok"}
//   {…,"from":"hook","hook":"policy","instance":1,"stderr":"a line"}
//   {"time":"…","from":"daemon","what":"hook","hook":"policy","instance":1,"state":"gone","reason":"it ended"}
//
// Who subscribes since a cursor is told first what was kept since then (trace_ring.h).
//
// `ms` is missing where nobody knows when the session began any more. Credentials are in no line: proofs of an `auth`
// request are `***`, and so is what a hook replied to it.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/worker/entry.h"
#include "daemon/worker/event.h"
#include "daemon/worker/subscriber.h"
#include "daemon/worker/trace_filter.h"
#include "daemon/worker/trace_ring.h"
#include "proto/hook/request.h"

namespace hooksmtpd::worker {

// A session that something is told of.
struct TracedSession {
  TraceSubject subject;
  Clock::time_point begun;
};

// The session that a request was about, kept until its reply comes.
struct TracedRequest {
  TracedRequest() = default;
  explicit TracedRequest(const TraceSubject& subject)
      : session(subject.session), listener(subject.listener), client(subject.client) {}

  std::string session, listener, client;  // empty: it is about none

  TraceSubject subject() const { return {.session = session, .listener = listener, .client = client}; }
};

struct TracedHook {
  std::string_view name;
  std::uint32_t instance = 1;
};

class Tracer {
 public:
  // Octets that may wait for a subscriber.
  inline static constexpr std::size_t kMaxQueued = 1024 * 1024;
  // Of `message_b64`, for those who want messages.
  inline static constexpr std::size_t kMaxMessage = 256 * 1024;

  // `start` names this worker: no other one has it.
  explicit Tracer(std::string start = {}) : ring_(std::move(start)) {}

  bool listening() const { return !subscriptions_.empty() || ring_.keeps(); }
  std::size_t subscribers() const { return subscriptions_.size(); }

  void subscribe(std::unique_ptr<Subscriber> subscriber, TraceFilter filter);
  TraceRing& ring() { return ring_; }
  // Sends what was told. Call it once per turn of the event loop.
  void end_of_turn();

  // Of a session. `wire` is one reply or several, `line` is without its end and has no credentials in it.
  void begun(const TracedSession& session);
  void over(const TracedSession& session, hook::EndReason reason);
  void tls(const TracedSession& session, std::string_view version, std::string_view cipher);
  void server(const TracedSession& session, std::string_view wire);
  void client(const TracedSession& session, std::string_view line);
  void client_octets(const TracedSession& session, std::uint64_t octets);

  // Of a hook. `line` is a request as it goes to the hook; `message` gives the octets that it is about, where some
  // subscriber wants them and they are not more than kMaxMessage.
  using Message = std::function<std::optional<std::string>()>;
  TracedRequest request(const TracedHook& hook, hook::Event event, std::string_view line, const Message& message);
  // `request` is what request() gave; nullptr: nobody listened then. `line` is what the hook wrote; empty: nothing.
  void reply(const HookEntry& entry, hook::RequestId id, const TracedRequest* request, std::string_view line);
  void said_to_stderr(const TracedHook& hook, const TracedRequest* request, std::string_view line);
  // "ready", "gone", "errs"; the last is what it did wrong without failing a request.
  void state(const TracedHook& hook, std::string_view state, std::string_view reason);

 private:
  struct Subscription {
    std::unique_ptr<Subscriber> subscriber;
    TraceFilter filter;
  };

  bool wanted(TraceKind kind, const TraceSubject& subject, std::string_view hook = {}) const;
  void tell(TraceKind kind, const TraceSubject& subject, std::string_view hook = {});
  template <class Write>
  void tell_of(TraceKind kind, const TracedSession& session, Write write);
  // Begins an entry; end_object() is the caller's.
  hook::JsonWriter begin_line(const TraceSubject& subject);
  std::optional<SinceBegin> since_begin(const TraceSubject& subject) const;

  std::vector<Subscription> subscriptions_;
  TraceRing ring_;
  std::map<std::string, Clock::time_point, std::less<>> begun_;  // of sessions that were told of and are not over
  std::string line_;
};

}  // namespace hooksmtpd::worker
