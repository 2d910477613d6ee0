#include "daemon/worker/tracer.h"

#include <algorithm>

#include "daemon/worker/traced_request.h"
#include "daemon/worker/utc.h"
#include "proto/sasl/base64.h"

namespace hooksmtpd::worker {
namespace {

void name_hook(hook::JsonWriter& json, const TracedHook& hook) {
  json.text("hook", hook.name);
  json.number("instance", hook.instance);
}

}  // namespace

void Tracer::subscribe(std::unique_ptr<Subscriber> subscriber, TraceFilter filter) {
  subscriptions_.push_back({std::move(subscriber), std::move(filter)});
}

void Tracer::end_of_turn() {
  for (Subscription& one : subscriptions_) one.subscriber->flush();
  std::erase_if(subscriptions_, [](const Subscription& one) { return one.subscriber->gone(); });
  ring_.end_of_turn(Clock::now());
  if (!listening()) begun_.clear();
}

bool Tracer::wanted(TraceKind kind, const TraceSubject& subject, std::string_view hook) const {
  return (ring_.keeps() && TraceRing::is_for(kind)) ||
         std::ranges::any_of(subscriptions_,
                             [&](const Subscription& one) { return one.filter.wants(kind, subject, hook); });
}

void Tracer::tell(TraceKind kind, const TraceSubject& subject, std::string_view hook) {
  if (ring_.keeps() && TraceRing::is_for(kind)) ring_.keep(kind, subject, hook, line_);
  for (Subscription& one : subscriptions_) {
    if (one.filter.wants(kind, subject, hook)) one.subscriber->tell(line_);
  }
}

std::optional<SinceBegin> Tracer::since_begin(const TraceSubject& subject) const {
  const auto begun = begun_.find(subject.session);
  if (begun == begun_.end()) return std::nullopt;
  return Clock::now() - begun->second;
}

hook::JsonWriter Tracer::begin_line(const TraceSubject& subject) {
  line_.clear();
  hook::JsonWriter json(line_);
  json.begin_object();
  json.text("time", utc_now());
  if (!subject.session.empty()) {
    json.text("session", subject.session);
    json.text("listener", subject.listener);
    json.text("client", subject.client);
  }
  return json;
}

// ---- sessions

template <class Write>
void Tracer::tell_of(TraceKind kind, const TracedSession& session, Write write) {
  begun_.try_emplace(std::string(session.subject.session), session.begun);
  if (!wanted(kind, session.subject)) return;
  hook::JsonWriter json = begin_line(session.subject);
  write(json, Clock::now() - session.begun);
  json.end_object();
  tell(kind, session.subject);
}

void Tracer::begun(const TracedSession& session) {
  tell_of(TraceKind::kSession, session, [](hook::JsonWriter& json, SinceBegin when) {
    entry::milliseconds(json, "ms", when);
    json.text("from", "daemon");
    json.text("what", "begin");
  });
}

void Tracer::over(const TracedSession& session, hook::EndReason reason) {
  tell_of(TraceKind::kSession, session, [reason](hook::JsonWriter& json, SinceBegin when) {
    entry::milliseconds(json, "ms", when);
    json.text("from", "daemon");
    json.text("what", "end");
    json.text("reason", to_string(reason));
  });
  if (const auto begun = begun_.find(session.subject.session); begun != begun_.end()) begun_.erase(begun);
}

void Tracer::tls(const TracedSession& session, std::string_view version, std::string_view cipher) {
  tell_of(TraceKind::kTls, session,
          [&](hook::JsonWriter& json, SinceBegin when) { entry::tls(json, when, version, cipher); });
}

void Tracer::server(const TracedSession& session, std::string_view wire) {
  while (!wire.empty()) {
    const std::string_view line = entry::take_line(wire);
    tell_of(TraceKind::kServer, session,
            [&](hook::JsonWriter& json, SinceBegin when) { entry::server_line(json, when, line); });
  }
}

void Tracer::client(const TracedSession& session, std::string_view line) {
  tell_of(TraceKind::kClient, session,
          [&](hook::JsonWriter& json, SinceBegin when) { entry::client_line(json, when, line); });
}

void Tracer::client_octets(const TracedSession& session, std::uint64_t octets) {
  tell_of(TraceKind::kClient, session,
          [&](hook::JsonWriter& json, SinceBegin when) { entry::client_octets(json, when, octets); });
}

// ---- hooks

TracedRequest Tracer::request(const TracedHook& hook, hook::Event event, std::string_view line,
                              const Message& message) {
  const TraceSubject subject = subject_of(event, line);
  if (wanted(TraceKind::kRequest, subject, hook.name)) {
    hook::JsonWriter json = begin_line(subject);
    if (const auto when = since_begin(subject)) entry::milliseconds(json, "ms", *when);
    json.text("from", "daemon");
    json.text("what", "request");
    name_hook(json, hook);
    json.text("event", to_string(event));
    json.json("request", without_secrets(event, line));
    const std::size_t end = line_.size();
    std::optional<std::string> octets;
    for (Subscription& one : subscriptions_) {
      if (!one.filter.wants(TraceKind::kRequest, subject, hook.name)) continue;
      line_.resize(end);
      if (one.filter.wants_messages() && (octets || (octets = message()))) {
        json.text("message_b64", sasl::base64_encode(*octets));
      }
      json.end_object();
      one.subscriber->tell(line_);
    }
  }
  return TracedRequest(subject);
}

void Tracer::reply(const HookEntry& entry, hook::RequestId id, const TracedRequest* request, std::string_view line) {
  const TraceSubject subject = request ? request->subject() : TraceSubject{};
  if (!wanted(TraceKind::kReply, subject, entry.hook)) return;
  hook::JsonWriter json = begin_line(subject);
  entry::hook_reply(json, since_begin(subject), entry);
  json.number("id", id);
  if (!line.empty()) json.text("reply", entry.event == hook::Event::kAuth ? "***" : line);
  json.end_object();
  tell(TraceKind::kReply, subject, entry.hook);
}

void Tracer::said_to_stderr(const TracedHook& hook, const TracedRequest* request, std::string_view line) {
  const TraceSubject subject = request ? request->subject() : TraceSubject{};
  if (!wanted(TraceKind::kStderr, subject, hook.name)) return;
  hook::JsonWriter json = begin_line(subject);
  if (const auto when = since_begin(subject)) entry::milliseconds(json, "ms", *when);
  json.text("from", "hook");
  name_hook(json, hook);
  json.text("stderr", line);
  json.end_object();
  tell(TraceKind::kStderr, subject, hook.name);
}

void Tracer::state(const TracedHook& hook, std::string_view state, std::string_view reason) {
  if (!wanted(TraceKind::kHook, {}, hook.name)) return;
  hook::JsonWriter json = begin_line({});
  json.text("from", "daemon");
  json.text("what", "hook");
  name_hook(json, hook);
  json.text("state", state);
  if (!reason.empty()) json.text("reason", reason);
  json.end_object();
  tell(TraceKind::kHook, {}, hook.name);
}

}  // namespace hooksmtpd::worker
