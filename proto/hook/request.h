// The requests of PROTOCOL.md: facts in, one line of JSON out.
//
// A line is compact, pure ASCII and ends with LF; keys come in a fixed order with the subject of the request last.
// Bytes that are not UTF-8 become U+FFFD, and a twin `<key>_b64` right before the key has them as they were.
//
// The structs are views: they live as long as the call that writes them.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proto/hook/event.h"
#include "proto/mail/envelope.h"
#include "proto/mail/mailbox.h"

namespace hooksmtpd::hook {

inline constexpr int kMajorVersion = 1;
inline constexpr int kMinorVersion = 0;

// Octets of a line with its LF.
inline constexpr std::size_t kMaxRequest = 64 * 1024;
inline constexpr std::size_t kMaxDeliverRequest = 1024 * 1024;
inline constexpr std::size_t kMaxReply = 64 * 1024;

// Names a request among those that one hook process has not answered yet. It crosses the wire as a number that every
// language can hold exactly: below 2^53.
using RequestId = std::uint64_t;

struct Endpoint {
  std::string_view ip;  // "192.0.2.7", "2001:db8::7"
  std::uint16_t port = 0;
};

// How a connection is encrypted, and who the client showed to be.
struct TlsFacts {
  std::string_view version{};             // "TLSv1.3"
  std::string_view cipher{};              // "TLS_AES_256_GCM_SHA384"
  int bits = 0;                           // of the cipher's key
  std::string_view server_name{};         // what the client called us (SNI); empty: nothing
  std::string_view client_subject{};      // of its certificate, RFC 2253; empty: it showed none
  std::string_view client_fingerprint{};  // SHA-256 of its certificate in hexadecimal
  bool client_verified = false;           // an authority of the configuration signed it
};

// What every request says of the session that it is about.
struct SessionFacts {
  std::string_view id;
  std::string_view listener;
  Endpoint client;
  Endpoint server;
  std::string_view helo;      // as the client gave it; empty before EHLO or HELO
  std::string_view protocol;  // "SMTP", "ESMTPS", "LMTP" and so on (RFC 3848); empty before EHLO or HELO
  std::optional<TlsFacts> tls{};
  std::string_view user{};  // who has authenticated; empty: nobody
};

struct EventTimeout {
  Event event;
  std::chrono::milliseconds timeout;
};

struct Hello {
  std::string_view daemon;  // "hooksmtpd 0.1.0"
  std::string_view hook;
  std::uint32_t instance = 1;
  std::string_view isolation;            // "full", "namespaced", "filtered", "none"
  std::span<const EventTimeout> events;  // what it is subscribed to
  std::string_view options = "{}";       // a JSON object, any white space, UTF-8
};

struct ValidateHost {
  const SessionFacts& session;  // its client.ip is the subject
};

// May this client be `user`? What it offers as a proof is secret: a request of this kind is never logged or traced.
struct Auth {
  const SessionFacts& session;
  std::string_view mechanism;         // "PLAIN" (RFC 4616), "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"
  std::string_view authorization_id;  // whom the client wants to act for; mostly empty: for itself
  std::string_view user;
  // What the mechanism has of these.
  std::optional<std::string_view> password{};   // PLAIN, LOGIN
  std::optional<std::string_view> token{};      // XOAUTH2, OAUTHBEARER (RFC 7628)
  std::optional<std::string_view> challenge{};  // CRAM-MD5 (RFC 2195): what it was asked,
  std::optional<std::string_view> digest{};     // and HMAC-MD5 of that under its password, in hexadecimal
};

struct ValidateSender {
  const SessionFacts& session;
  std::string_view transaction;
  const mail::ReversePath& from;
  const mail::Parameters& params;
};

struct ValidateRecipient {
  const SessionFacts& session;
  std::string_view transaction;
  const mail::ReversePath& from;
  std::size_t accepted = 0;  // recipients that were accepted before this one
  const mail::Recipient& to;
};

struct MessageFacts {
  std::uint64_t size = 0;           // octets of the file, trace headers included
  bool eight_bit = false;           // some octet is above 127
  std::uint64_t long_lines = 0;     // text lines over 1,000 octets (RFC 5321 §4.5.3.1.6)
  std::uint32_t trace_headers = 0;  // header fields that the daemon put in front (§4.4)
  std::string_view path;
};

struct Deliver {
  const SessionFacts& session;
  std::string_view transaction;
  const mail::Envelope& envelope;
  std::string_view received_at;  // "2026-11-22T17:20:11.482Z"
  MessageFacts message;
};

// To a hook that had accepted a message which a later hook refused.
struct Reset {
  const SessionFacts& session;
  std::string_view transaction;
};

// Why a session is over.
enum class EndReason {
  kQuit,      // "quit": the client said QUIT
  kLost,      // "lost": the client closed or reset the connection
  kTimeout,   // "timeout": the client was silent for too long
  kLimit,     // "limit": it ran into a limit of errors or commands
  kHook,      // "hook": a hook said close
  kShutdown,  // "shutdown": the daemon stops
  kError,     // "error": the daemon could not go on
};
std::string_view to_string(EndReason reason);

struct Disconnect {
  const SessionFacts& session;
  std::chrono::milliseconds duration{};
  std::uint64_t commands = 0;
  std::uint64_t recipients = 0;  // accepted ones, over all messages
  std::uint64_t messages_accepted = 0;
  std::uint64_t messages_refused = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  EndReason reason = EndReason::kQuit;
};

enum class RequestError { kTooLong };  // over kMaxRequest, or kMaxDeliverRequest

// Appends the line and returns its length. On an error `out` is as it was.
using Written = std::expected<std::size_t, RequestError>;
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Hello& hello);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const ValidateHost& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Auth& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const ValidateSender& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const ValidateRecipient& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Deliver& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Reset& notice);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Disconnect& notice);

}  // namespace hooksmtpd::hook
