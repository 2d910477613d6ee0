#include "daemon/worker/hello_check.h"

#include <doctest/doctest.h>

#include <string>

using namespace hooksmtpd;
using config::HookEvent;

namespace {

std::string found(std::initializer_list<HookEvent> asked, const hook::HelloReply& reply) {
  config::Hook hook;
  hook.name = "policy";
  for (const HookEvent event : asked) hook.on(event).subscribed = true;
  std::string text;
  for (const worker::HelloFinding& finding : worker::check_hello(hook, reply)) {
    text += finding.level == sys::LogLevel::kWarn ? "warning: " : "info: ";
    text += finding.text + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("nothing is said of a hook that does what it is asked, or did not say what it does") {
  CHECK(found({HookEvent::kHelo, HookEvent::kDeliver}, {}) == "");
  CHECK(found({HookEvent::kHelo, HookEvent::kDeliver},
              {.events = {{hook::Event::kHelo, hook::Event::kDeliver, hook::Event::kReset}}}) == "");
  CHECK(found({HookEvent::kDisconnect}, {.dialogue = true}) == "");
  CHECK(found({HookEvent::kCancel, HookEvent::kHelo}, {.concurrency = 2}) == "");
}

TEST_CASE("what it does not handle is a warning, what it is not asked is worth a word, each with the cure") {
  const std::string text =
      found({HookEvent::kHelo, HookEvent::kData}, {.events = {{hook::Event::kData, hook::Event::kDeliver}}});
  CHECK(text.contains("warning: its configuration has it asked about helo, which it does not handle: take helo out"));
  CHECK(text.contains("info: it handles deliver, but is not asked about it: add deliver to its events"));
  CHECK(!text.contains("data,"));
  CHECK(found({HookEvent::kHelo}, {.events = {{hook::Event::kHelo, hook::Event::kReset}}}).contains("handles reset"));
}

TEST_CASE("what it wants and never gets is said") {
  CHECK(found({HookEvent::kHelo}, {.dialogue = true}).contains("warning: it wants the dialogue"));
  CHECK(found({HookEvent::kHelo, HookEvent::kCancel}, {}).contains("concurrency"));
}
