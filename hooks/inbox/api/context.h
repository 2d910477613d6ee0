// What the routes work with.

#pragma once

#include <event2/event.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hooks/inbox/hook/options.h"
#include "hooks/inbox/http/exchange.h"
#include "hooks/inbox/store/store.h"

namespace hooksmtpd::inbox {

// What is known of the daemon that this inbox belongs to.
struct DaemonFacts {
  std::string hostname;
  std::vector<std::string> smtp;  // "127.0.0.1:25"
};

// Whoever reads a broken database asks again and again: the log is told once in a minute.
class Complaints {
 public:
  void say(std::string_view what);

 private:
  std::chrono::steady_clock::time_point silent_until_{};
};

struct Context {
  event_base* base;
  Store& store;
  const Options& options;
  std::string token;  // of the page
  DaemonFacts facts;
  Time began = now();  // when it was set up
  Complaints complaints{};
};
using ExchangePtr = std::shared_ptr<Exchange>;

// Each takes the exchanges that are about it, and answers them; false: that is none of its paths.
namespace v2 {
bool route(Context& context, const ExchangePtr& exchange);
}
namespace v1 {
bool route(Context& context, const ExchangePtr& exchange);
}

// All of them, the page's own files, and what is nowhere.
void route(Context& context, const ExchangePtr& exchange);

}  // namespace hooksmtpd::inbox
