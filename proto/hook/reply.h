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

#include "proto/hook/request.h"
#include "proto/mail/verdict.h"

namespace hooksmtpd::hook {

struct Reply {
  std::optional<RequestId> id{};
  mail::Verdict verdict{};
  std::chrono::milliseconds delay{};        // wait so long before the client hears of it
  std::vector<std::string> unknown_keys{};  // ignored; worth a line in the log, once

  friend bool operator==(const Reply&, const Reply&) = default;
};

// The reply to hello. Any reply that is well formed says "ready, and nothing special".
struct HelloReply {
  std::optional<RequestId> id{};
  bool ready = true;  // false: it cannot work, `text` says why
  std::string text{};
  std::uint32_t concurrency = 1;  // how many requests it takes at once: 1–kMaxConcurrency
  bool stores = false;            // it keeps messages: policy must stand before it
  bool wants_reset = true;        // false: it said "decline":["reset"]
  std::string name{}, version{};  // of the hook's program, for people
  std::vector<std::string> unknown_keys{};

  friend bool operator==(const HelloReply&, const HelloReply&) = default;
};

inline constexpr std::uint32_t kMaxConcurrency = 256;
inline constexpr std::chrono::milliseconds kMaxDelay = std::chrono::minutes(1);

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

// `line` is without its LF.
[[nodiscard]] std::expected<Reply, ReplyError> parse_reply(std::string_view line);
[[nodiscard]] std::expected<HelloReply, ReplyError> parse_hello_reply(std::string_view line);

}  // namespace hooksmtpd::hook
