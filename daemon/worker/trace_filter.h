// What a subscriber of the trace wants to hear of: the request {"command":"trace",...} of the control socket.
//
//   client     an address or a network, "192.0.2.0/24"
//   session    the id of one session
//   listener   the name of a listener
//   hook       the name of a hook: only what it is asked, answers and writes to stderr, and where sessions begin and end
//   what       an array of kinds: session, tls, client, server, request, reply, stderr, hook
//   messages   true: with the octets of the message in requests of deliver and deliver_mime
//
// What is not there does not restrict.

#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "config/network.h"

namespace hooksmtpd::worker {

// The kinds of trace entries.
enum class TraceKind : std::uint8_t { kSession, kTls, kClient, kServer, kRequest, kReply, kStderr, kHook };

// Whom an entry is about. Empty: it is about no session.
struct TraceSubject {
  std::string_view session, listener, client;  // client: its address
};

class TraceFilter {
 public:
  // The error is a sentence for whoever asked.
  static std::expected<TraceFilter, std::string> parse(const nlohmann::json& request);

  // `hook`: the one that an entry of kRequest, kReply, kStderr or kHook is about.
  bool wants(TraceKind kind, const TraceSubject& subject, std::string_view hook = {}) const;
  bool wants_messages() const { return messages_; }

 private:
  std::optional<config::Network> client_{};
  std::string session_{}, listener_{}, hook_{};
  std::uint32_t kinds_ = ~std::uint32_t{0};  // bits of TraceKind
  bool messages_ = false;
};

}  // namespace hooksmtpd::worker
