// What happens in a session, told as JSON: the one vocabulary of the dialogue that a hook gets with `disconnect` and of
// `hooksmtpctl trace` (PROTOCOL.md, "disconnect"; hooksmtpctl(1), "Entries").
//
//   {"ms":0.4,"from":"server","line":"220 mail.test ready"}
//   {"ms":12,"from":"client","line":"EHLO x"}
//   {"ms":13,"from":"client","octets":1834}
//   {"ms":15.2,"from":"hook","hook":"policy","instance":1,"event":"helo","action":"reject","code":550,"took_ms":3.2}
//   {"ms":2,"from":"daemon","what":"tls","version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"}
//
// `ms` counts from the beginning of the session. Each function appends the members of one object, which its caller
// begins and ends, so that there may be more in it; `when` is missing where the beginning is not known. Octets that are
// not UTF-8 come as JsonWriter has them: U+FFFD, and a twin `line_b64`.
//
// No secret comes this far from a client: smtp::Host::heard() gives `***` for it. What the server says of one, the
// challenges of AUTH, is left out here.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/hook/event.h"
#include "proto/hook/json_writer.h"
#include "proto/mail/verdict.h"

namespace hooksmtpd::worker {

using SinceBegin = std::chrono::nanoseconds;

// What a hook said to one request.
struct HookEntry {
  std::string_view hook;
  std::uint32_t instance = 1;
  hook::Event event{};
  const mail::Verdict* verdict = nullptr;  // null: it gave none,
  std::string_view failure{};              // and this is why
  std::chrono::nanoseconds took{};         // from the writing of the request to the reading of the reply
};

namespace entry {

// Milliseconds with as many of three decimals as they need.
void milliseconds(hook::JsonWriter& json, std::string_view key, std::chrono::nanoseconds value);

// One line of a reply, without its CRLF. A challenge of AUTH (RFC 4954 §4) is shown as `334 ***`.
void server_line(hook::JsonWriter& json, std::optional<SinceBegin> when, std::string_view line);
void client_line(hook::JsonWriter& json, std::optional<SinceBegin> when, std::string_view line);
// Octets of a message, or of one BDAT.
void client_octets(hook::JsonWriter& json, std::optional<SinceBegin> when, std::uint64_t octets);
void hook_reply(hook::JsonWriter& json, std::optional<SinceBegin> when, const HookEntry& what);
void tls(hook::JsonWriter& json, std::optional<SinceBegin> when, std::string_view version, std::string_view cipher);

// Takes the first line off a reply's wire form: without its CRLF.
std::string_view take_line(std::string_view& wire);

}  // namespace entry
}  // namespace hooksmtpd::worker
