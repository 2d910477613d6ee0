// A worker or keyholder that hangs is replaced, and systemd hears of a worker that answers (pulse.h).

#include <doctest/doctest.h>
#include <signal.h>

#include <string>

#include "daemon/launcher/pulse.h"
#include "tests/daemon/launcher/world.h"

namespace hooksmtpd::launcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A loop whose time the test sets, and one Pulse that writes down what it does.
struct Watched {
  Loop::Time now{};
  Loop loop{[this] { return now; }};
  std::string seen;
  sys::Token asked{};
  Pulse pulse{loop,
              seconds(30),
              {.ask =
                   [this](sys::Token token) {
                     asked = token;
                     seen += "ask ";
                   },
               .gone = [this] { seen += "gone "; }}};

  void pass(milliseconds time) {
    now += time;
    loop.turn(milliseconds(0));
  }
};

TEST_CASE("who answers is asked again, four times in its time") {
  Watched watched;
  watched.pulse.start();
  for (int i = 0; i < 12; ++i) {
    CHECK(watched.pulse.answered(watched.asked));
    watched.pass(milliseconds(7500));
  }
  CHECK(watched.seen == "ask ask ask ask ask ask ask ask ask ask ask ask ask ");
}

TEST_CASE("who does not is gone when the time is up, and not before") {
  Watched watched;
  watched.pulse.start();
  for (int i = 0; i < 3; ++i) watched.pass(milliseconds(7500));
  watched.pass(milliseconds(7499));
  CHECK(watched.seen == "ask ");
  watched.pass(milliseconds(1));
  CHECK(watched.seen == "ask gone ");
  watched.pass(seconds(60));
  CHECK(watched.seen == "ask gone ");
}

TEST_CASE("a machine that slept for an hour kills nobody") {
  Watched watched;
  watched.pulse.start();
  watched.pass(std::chrono::hours(1));
  CHECK(watched.seen == "ask ");
  CHECK(watched.pulse.answered(watched.asked));
}

TEST_CASE("an answer that nobody asked for is none") {
  Watched watched;
  watched.pulse.start();
  CHECK_FALSE(watched.pulse.answered({.value = watched.asked.value + 1}));
  CHECK(watched.pulse.answered(watched.asked));
  CHECK_FALSE(watched.pulse.answered(watched.asked));
}

void pass_in_ticks(World& world, int ticks) {
  for (int i = 0; i < ticks; ++i) {
    world.pass(milliseconds(7500));
    world.worker().heard();
    world.settle();
  }
}

TEST_CASE("a worker that hangs is killed, which the log says, and another one takes its place") {
  World world(config_with({"policy"}));
  world.bring_up();
  pass_in_ticks(world, 8);
  CHECK(world.keeper(0).heard() == "");
  world.log();

  world.worker().hang();
  pass_in_ticks(world, 5);
  CHECK(world.log().find("worker hangs: it has not answered for 30000 ms, so it is killed") != std::string::npos);
  CHECK(world.keeper(0).heard() == "stop");
  world.exited(0, SIGKILL);
  CHECK(world.log().find(R"(worker exit signal=9 ran_ms=97500 reason="it does not answer")") != std::string::npos);
  world.start_worker();
  world.report();
  CHECK(world.worker().heard() == "config");
}

TEST_CASE("a keyholder that hangs is replaced too") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  world.keyholder().hang();
  for (int i = 0; i < 5; ++i) {
    world.pass(milliseconds(7500));
    world.keyholder().heard();
    world.worker().heard();
    world.settle();
  }
  CHECK(world.keyholder_keeper().heard() == "stop");
  CHECK(world.keeper(0).heard() == "");
  CHECK(world.log().find("keyholder hangs") != std::string::npos);
}

TEST_CASE("a pong that nobody asked for costs a worker its life") {
  World world(config_with({}));
  world.bring_up();
  world.worker().heard();
  world.worker().say(sys::FrameKind::kPong, sys::as_body(sys::Token{.value = 4711}));
  world.settle();
  CHECK(world.keeper(0).heard() == "stop");
}

TEST_CASE("systemd hears WATCHDOG=1 four times within half of its time, and nothing while the worker hangs") {
  World world(config_with({}), Keys::kNone, seconds(20));
  world.bring_up();
  world.worker().heard();
  world.settle();
  CHECK(world.notified().find("WATCHDOG=1") != std::string::npos);
  for (int i = 0; i < 4; ++i) {
    world.pass(milliseconds(2500));
    world.worker().heard();
    world.settle();
    CHECK(world.notified() == "WATCHDOG=1\n");
  }
  world.worker().hang();
  for (int i = 0; i < 4; ++i) {
    world.pass(milliseconds(2500));
    world.worker().heard();
    world.settle();
    CHECK(world.notified() == "");
  }
}

}  // namespace
}  // namespace hooksmtpd::launcher
