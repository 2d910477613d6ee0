// A session as its client and the hooks had it, for the `disconnect` of hooks that asked for the dialogue: a JSON array
// of entries (entry.h), bounded.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/worker/entry.h"

namespace hooksmtpd::worker {

class Dialogue {
 public:
  // Octets of the array. What would make it longer is left out, and so is all that follows: the last entry is then
  // {"from":"daemon","what":"truncated"}.
  inline static constexpr std::size_t kMaxOctets = 256 * 1024;

  // One reply or several, as they go over the wire: an entry for each line.
  void server(SinceBegin when, std::string_view wire);
  // A line without its CRLF, credentials replaced.
  void client(SinceBegin when, std::string_view line);
  // A message's octets, or those of one BDAT.
  void client_octets(SinceBegin when, std::uint64_t octets);
  void hook(SinceBegin when, const HookEntry& what);
  void tls(SinceBegin when, std::string_view version, std::string_view cipher);

  // The array so far, complete at any time.
  std::string_view json() const { return json_; }

 private:
  template <class Write>
  void add(Write write);

  std::string json_ = "[]";
  bool truncated_ = false;
};

}  // namespace hooksmtpd::worker
