// What one process of a hook writes to its standard error: lines of our log, bounded in length and number, each with
// the session that the hook works for where that is certain, and with what its sandbox has to do with it.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"
#include "daemon/sys/log.h"
#include "daemon/worker/event.h"
#include "daemon/worker/log_limit.h"
#include "daemon/worker/tracer.h"

namespace hooksmtpd::worker {

struct Request;

// "session=7f3a" or "message=7f3a-1", for a line of the log; empty where there is nothing to say.
std::string tag_of(const sys::About& about);

class ErrorOutput {
 public:
  struct Surroundings {
    event_base* base;
    sys::Log& log;
    Tracer& tracer;
    // The only request that the process works on; null: there is none, or several.
    std::function<const Request*()> only_request;
    // What a line has to do with the sandbox of the hook of that name; nothing: nothing. May be empty.
    std::function<std::optional<std::string>(std::string_view hook, std::string_view line)> explain;
  };

  // "policy", and of that one the process `instance`.
  ErrorOutput(Surroundings surroundings, std::string name, std::uint32_t instance);

  void start(sys::Fd error);
  // Reads its last words, and closes.
  void stop();

  // Says in the log what the process did wrong, within the same bounds.
  void complain(std::string_view text);

 private:
  void on_readable() noexcept;
  bool read_some();
  void log_line();
  bool may_log();

  Surroundings surroundings_;
  const std::string name_, label_;
  const std::uint32_t instance_;
  sys::Fd error_;
  Event on_error_;
  std::string line_;
  std::string explained_;  // the last explanation: a hook that tries again and again needs no second one
  LogLimit limit_;
};

}  // namespace hooksmtpd::worker
