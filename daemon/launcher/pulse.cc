#include "daemon/launcher/pulse.h"

#include <utility>

namespace hooksmtpd::launcher {
namespace {

constexpr std::uint32_t kTicks = 4;  // of `patience` in all

}  // namespace

Pulse::Pulse(Loop& loop, Loop::Milliseconds patience, Events events)
    : patience_(patience), events_(std::move(events)), tick_(loop, [this] { tick(); }) {}

void Pulse::start() {
  unanswered_ = 0;
  tick();
}

void Pulse::stop() { tick_.stop(); }

bool Pulse::answered(sys::Token token) { return token.value == question_ && std::exchange(unanswered_, 0) != 0; }

void Pulse::tick() {
  if (unanswered_ > kTicks - 1) return events_.gone();
  tick_.start(patience_ / kTicks);
  if (unanswered_++ == 0) events_.ask({.value = ++question_});
}

}  // namespace hooksmtpd::launcher
