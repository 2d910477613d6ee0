// One line of a hook -> what it means (PROTOCOL.md, "Replies").
//
// A reply is a JSON object or a word line: ok, reject [code] [x.y.z] [text], defer [code] [x.y.z] [text], discard,
// close [text].

#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/hook/event.h"
#include "proto/hook/request.h"
#include "proto/mail/verdict.h"

namespace hooksmtpd::hook {

struct Reply {
  std::optional<RequestId> id{};
  mail::Verdict verdict{};
  std::chrono::milliseconds delay{};        // wait so long before the client hears of it
  std::optional<std::string> notes{};       // a JSON object, compact ASCII; "{}": forget what was noted
  std::string mime{};                       // of a mime hook: the tree, a JSON object, compact ASCII; empty: none
  std::vector<std::string> unknown_keys{};  // ignored; worth a line in the log, once

  friend bool operator==(const Reply&, const Reply&) = default;
};

// What a hook may change, as it declared in its reply to hello.
struct Modifies {
  bool sender = false;     // `rewrite` of validate_sender
  bool recipient = false;  // `rewrite` of validate_recipient
  bool headers = false;    // `add_headers`

  friend bool operator==(const Modifies&, const Modifies&) = default;
};

// The reply to hello. Any reply that is well formed says "ready, and nothing special".
struct HelloReply {
  std::optional<RequestId> id{};
  bool ready = true;  // false: it cannot work, `text` says why
  std::string text{};
  std::uint32_t concurrency = 1;               // how many requests it takes at once: 1–kMaxConcurrency
  bool stores = false;                         // it keeps messages: policy must stand before it
  bool wants_reset = true;                     // false: it said "decline":["reset"]
  bool wants_cancel = true;                    // likewise
  std::optional<std::vector<Event>> events{};  // what it handles, as far as this version knows it; nullopt: not said
  bool inline_body = false;                    // it wants messages in the request where they fit
  bool dialogue = false;                       // it wants the dialogue with disconnect
  Modifies modifies{};
  std::string name{}, version{};  // of the hook's program, for people
  std::vector<std::string> unknown_keys{};

  friend bool operator==(const HelloReply&, const HelloReply&) = default;
};

inline constexpr std::uint32_t kMaxConcurrency = 256;
inline constexpr std::chrono::milliseconds kMaxDelay =
    std::chrono::minutes(10);                                    // no client waits so long (RFC 5321 §4.5.3.2)
inline constexpr std::size_t kMaxNotes = 4 * 1024;               // octets of Reply::notes
inline constexpr std::size_t kMaxAddedHeaders = 100;             // fields of one reply,
inline constexpr std::size_t kMaxAddedHeaderOctets = 16 * 1024;  // and their names and values
inline constexpr std::size_t kMaxHeaderValue = 900;              // octets of one value

struct ReplyError {
  enum Kind {
    kStray,   // no reply at all: neither a JSON object nor exactly one of the word forms
    kBroken,  // meant as a reply, but it makes no sense: its request has failed
  };
  Kind kind;
  std::optional<RequestId> id{};  // where it could still be read
  std::string text{};             // what is wrong and how to mend it, printable
  std::string quote{};            // what the hook wrote instead of a reply, printable: it may hold a secret
};

// Whose lines: the `mime` hook's may have a `mime`, to any other that is a key that nobody knows.
enum class Speaker { kHook, kMimeHook };

// `line` is without its LF.
[[nodiscard]] std::expected<Reply, ReplyError> parse_reply(std::string_view line, Speaker speaker = Speaker::kHook);
[[nodiscard]] std::expected<HelloReply, ReplyError> parse_hello_reply(std::string_view line);

}  // namespace hooksmtpd::hook
