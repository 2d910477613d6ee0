// Whether a hook is asked about what it is made for: its configuration beside what it said at hello.

#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/sys/log.h"
#include "proto/hook/reply.h"

namespace hooksmtpd::worker {

struct HelloFinding {
  sys::LogLevel level;
  std::string text;  // names the cure
};

// Nothing of a hook that did not say which events it handles.
std::vector<HelloFinding> check_hello(const config::Hook& hook, const hook::HelloReply& reply);

}  // namespace hooksmtpd::worker
