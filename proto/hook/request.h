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
#include "proto/hook/facts.h"
#include "proto/mail/envelope.h"
#include "proto/mail/mailbox.h"

namespace hooksmtpd::hook {

inline constexpr int kMajorVersion = 1;
inline constexpr int kMinorVersion = 0;

// Octets of a line with its LF.
inline constexpr std::size_t kMaxRequest = 64 * 1024;
inline constexpr std::size_t kMaxLongRequest = 1024 * 1024;  // deliver, deliver_mime, disconnect with a dialogue
inline constexpr std::size_t kMaxReply = 64 * 1024;
inline constexpr std::size_t kMaxMimeReply = 1024 * 1024;  // of the `mime` hook

// Names a request among those that one hook process has not answered yet. It crosses the wire as a number that every
// language can hold exactly: below 2^53.
using RequestId = std::uint64_t;

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
  std::size_t max_line = kMaxReply;      // that its replies may have
};

struct ValidateHost {
  const SessionFacts& session;  // its client.ip is the subject
};

// HELO, EHLO or LHLO, before its reply. The session's `helo` is the name that the client gave before, if it did.
struct Helo {
  const SessionFacts& session;
  std::string_view verb;  // "EHLO"
  std::string_view name;
};

// The handshake is over; the session's `tls` is the subject, and has to be there.
struct Starttls {
  const SessionFacts& session;
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

// DATA, or the first BDAT of a message: may the client send it?
struct Data {
  const SessionFacts& session;
  std::string_view transaction;
  const mail::Envelope& envelope;
};

struct Deliver {
  const SessionFacts& session;
  std::string_view transaction;
  const mail::Envelope& envelope;
  std::string_view received_at;  // "2026-11-22T17:20:11.482Z"
  MessageFacts message;
};

// A message with its tree; and the same question to the `mime` hook, which makes the tree.
struct DeliverMime {
  Deliver deliver;
  std::string_view mime{};      // a JSON object, the tree or {"path":"…/tree.json"}; empty: to the mime hook
  std::string_view for_hook{};  // to the mime hook: who will read what it writes
};

// A verb that the daemon does not know.
struct Command {
  const SessionFacts& session;
  std::string_view line;  // without its CRLF
};

// Why there will be nothing of a message.
enum class ResetReason {
  kRefused,  // "refused": a later hook refused what this one had accepted
  kRset,     // "rset": the client said RSET
  kHello,    // "hello": it began anew, with EHLO, HELO, STARTTLS or XCLIENT
  kFailed,   // "failed": the message was not accepted for another reason
  kLost,     // "lost": the connection ended
  kOver,     // "over": to the mime hook: whom the tree was made for has read it
};
std::string_view to_string(ResetReason reason);

struct Reset {
  const SessionFacts& session;
  std::string_view transaction;
  ResetReason reason = ResetReason::kRefused;
  std::string_view for_hook{};  // with kOver: that of the DeliverMime
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
  std::string_view dialogue{};  // of a JsonWriter: an array (PROTOCOL.md, "The dialogue"); empty: the hook did not ask
  EndReason reason = EndReason::kQuit;
};

// To a hook with concurrency: nobody waits for the answer to `target` any more. It has to be given all the same.
struct Cancel {
  const SessionFacts& session;
  RequestId target;
};

enum class RequestError { kTooLong };  // over kMaxRequest, or kMaxLongRequest

// Appends the line and returns its length. On an error `out` is as it was.
using Written = std::expected<std::size_t, RequestError>;
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Hello& hello);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const ValidateHost& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Helo& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Starttls& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Auth& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const ValidateSender& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const ValidateRecipient& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Data& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Deliver& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const DeliverMime& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Command& question);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Reset& notice);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Disconnect& notice);
[[nodiscard]] Written append_request(std::string& out, RequestId id, const Cancel& notice);

}  // namespace hooksmtpd::hook
