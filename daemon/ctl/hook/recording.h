// What `hooksmtpctl hook record` wrote: the requests of one hook and what it replied, JSON lines.
//
//   {"what":"request","hook":"policy","instance":1,"request":{"v":1,"id":7,...},"message_b64":"..."}
//   {"hook":"policy","instance":1,"reply":"reject 550 5.1.1 no such user"}
//
// Lines of another kind (stderr, the client's) mean nothing here. A reply belongs to the request of its `id`, else to
// the oldest that the same instance has not answered.

#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl/hook/cases.h"

namespace hooksmtpd::ctl {

struct Recorded {
  Case one;                          // its message among it, where it was recorded
  std::optional<std::string> reply;  // the line; nullopt: none came
};

struct Recording {
  std::string options = "{}";  // of the hello in it
  std::vector<Recorded> requests;
  // Not to be replayed: `auth`, whose secrets a recording does not have, and `cancel`, whose target is not out.
  std::size_t left_out = 0;
  // Requests about a message that was not recorded: a small one of ours takes its place.
  std::size_t without_message = 0;
};

// `hook`: of several in the file; empty: there must be one only. An error names the file, and the line where it can.
std::expected<Recording, std::string> read_recording(const std::filesystem::path& path, const std::string& hook);

}  // namespace hooksmtpd::ctl
