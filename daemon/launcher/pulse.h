// Whether a process still goes round its loop. It is asked again and again and has to answer; one that answered none of
// several questions hangs.
//
// Questions are counted, not time: after a suspended machine or a frozen control group everybody was silent equally
// long, and nobody hangs.

#pragma once

#include <cstdint>
#include <functional>

#include "daemon/launcher/loop.h"
#include "daemon/sys/frame.h"

namespace hooksmtpd::launcher {

class Pulse {
 public:
  struct Events {
    std::function<void(sys::Token)> ask;
    std::function<void()> gone;  // no answer for `patience`; asked no more
  };

  Pulse(Loop& loop, Loop::Milliseconds patience, Events events);

  void start();
  void stop();
  // False: that was not the question.
  bool answered(sys::Token token);
  Loop::Milliseconds patience() const { return patience_; }

 private:
  void tick();

  const Loop::Milliseconds patience_;
  const Events events_;
  std::uint32_t question_ = 0;
  std::uint32_t unanswered_ = 0;  // ticks since `question_` was asked; 0: it was answered
  Timer tick_;
};

}  // namespace hooksmtpd::launcher
