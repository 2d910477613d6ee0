// Clients of the control socket that the supervisor has handed to us, because it is the worker that knows what they
// want to be told:
//
//   {"command":"trace", ...}             what happens from now on (trace_filter.h, tracer.h); with "since":"…" also
//                                        what sessions have said since that cursor (trace_ring.h)
//   {"command":"messages","since":"…"}   the messages that are accepted (message_ring.h)
//
// The first line that they get is {"ok":true,...}, and what happens after they have read it they are told; or it is
// {"ok":false,"kind":"usage","error":"…"}, and the last one.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"
#include "daemon/worker/event.h"
#include "daemon/worker/message_ring.h"
#include "daemon/worker/tracer.h"

namespace hooksmtpd::worker {

class Subscriptions {
 public:
  // Each has a descriptor and may have a queue.
  inline static constexpr std::size_t kMost = 16;

  explicit Subscriptions(event_base* base);

  // `request` comes from the client, as it is.
  void take(std::string_view request, sys::Fd client);
  // Call it once per turn of the event loop.
  void end_of_turn();

  Tracer& tracer() { return tracer_; }
  MessageRing& messages() { return messages_; }

 private:
  void take_since(std::string_view since, TraceFilter filter, sys::Fd client);
  void refuse(sys::Fd client, std::string_view kind, std::string_view error);

  event_base* base_;
  Tracer tracer_;
  MessageRing messages_;
};

}  // namespace hooksmtpd::worker
