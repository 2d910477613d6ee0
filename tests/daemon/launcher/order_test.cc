// The order in which the worker and the hooks start, are replaced and stop (crew.h).

#include <doctest/doctest.h>
#include <signal.h>
#include <sysexits.h>

#include <cerrno>

#include "tests/daemon/launcher/world.h"

namespace hooksmtpd::launcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using sys::FrameKind;
using sys::HookState;

constexpr int kStatus1 = 1 << 8;  // as wait(2) has exit(1)

bool contains(const std::string& text, std::string_view part) {
  INFO("in: ", text);
  INFO("looked for: ", part);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

std::uint32_t grace_of(const std::optional<sys::Frame>& frame) {
  REQUIRE(frame);
  REQUIRE(frame->kind == FrameKind::kStop);
  return sys::body_as<sys::Stop>(frame->body).grace_ms;
}

TEST_CASE("worker, report, configuration, hooks, hello, READY, serve: each after the one before") {
  World world(config_with({"policy", "store"}));
  CHECK(world.keeper(1).heard() == "");
  world.start_worker();
  CHECK(world.worker().heard() == "");
  CHECK(world.keeper(1).heard() == "");

  world.report();
  CHECK(world.worker().heard() == "config");
  world.start_hook(1);
  world.start_hook(2);
  CHECK(world.worker().heard() == "hook hook");

  world.hook_state(1, 1, HookState::kReady);
  CHECK(world.worker().heard() == "");
  CHECK(world.notified() == "");
  world.hook_state(2, 1, HookState::kReady);
  CHECK(world.worker().heard() == "serve");
  contains(world.notified(), "READY=1\nSTATUS=serving, 2 of 2 hook processes ready");
  contains(world.log(), R"(ready version=)");
}

TEST_CASE("a hook's argument vector, number, instance, generation and name go where they belong") {
  World world(config_with({"policy"}));
  world.start_worker();
  world.report();
  const auto start = world.keeper(1).take();
  REQUIRE(start);
  CHECK(start->body == std::string("/opt/hook\0policy\0", 17));
  world.keeper(1).say(FrameKind::kExited, sys::as_body(sys::Exited{.wait_status = 0, .exec_errno = ENOENT}));
  world.settle();
  world.start_hook(1);
  CHECK(world.worker().heard() == "config hook");
}

TEST_CASE("without hooks the worker serves at once") {
  World world(config_with({}));
  world.start_worker();
  world.report();
  CHECK(world.worker().heard() == "config serve");
}

TEST_CASE("a hook that does not say hello keeps READY away for its start_timeout and no longer, and is named") {
  World world(config_with({"mute", "store"}));
  world.start_worker();
  world.report();
  world.start_hook(1);
  world.start_hook(2);
  world.hook_state(2, 1, HookState::kReady);
  world.pass(milliseconds(9999));
  CHECK(world.notified() == "");
  world.pass(milliseconds(1));
  contains(world.notified(), "READY=1\nSTATUS=hooks not ready: mute/1 (starting)");
  contains(world.log(), "hook late hook=mute/1");
  CHECK(world.worker().heard() == "config hook hook serve");

  world.hook_state(1, 1, HookState::kReady);
  contains(world.notified(), "STATUS=serving, 2 of 2");
}

TEST_CASE("a hook whose hello failed is killed and started again, and its text is in the log") {
  World world(config_with({"policy"}));
  world.start_worker();
  world.report();
  world.start_hook(1);
  world.hook_state(1, 1, HookState::kFailed, "no answer to hello: flush the output");
  CHECK(grace_of(world.keeper(1).take()) == 0);
  contains(world.log(), R"(hook restart hook=policy/1 reason="no answer to hello: flush the output")");
  world.exited(1, SIGKILL);
  world.start_hook(1);
  world.hook_state(1, 2, HookState::kReady);
  contains(world.worker().heard(), "serve");
}

TEST_CASE("a hook that dies comes back after 0, 0.1, 0.2 s; the worker gets its new pipes") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.worker().heard();
  world.log();

  world.exited(1, kStatus1);
  contains(world.log(), "hook exit hook=policy/1 status=1 ran_ms=0 next_start_ms=0 failures=1");
  world.start_hook(1);
  CHECK(world.worker().heard() == "hook");
  world.exited(1, SIGSEGV);
  contains(world.log(), "signal=11 ran_ms=0 next_start_ms=100");
  world.pass(milliseconds(99));
  CHECK(world.keeper(1).heard() == "");
  world.pass(milliseconds(1));
  world.start_hook(1);
}

TEST_CASE("kRestartHook kills at once, holds it against the hook, and counts for one process only") {
  World world(config_with({"policy"}));
  world.bring_up();
  const sys::HookProcess which{.slot = 1, .instance = 1, .generation = 1};
  const std::string body = std::string(sys::as_body(which)) + "overran its 5 s";
  world.worker().say(FrameKind::kRestartHook, body);
  world.worker().say(FrameKind::kRestartHook, body);
  world.settle();
  CHECK(grace_of(world.keeper(1).take()) == 0);
  CHECK(world.keeper(1).heard() == "");
  world.exited(1, SIGKILL);
  world.start_hook(1);
  world.worker().say(FrameKind::kRestartHook, body);  // of the process before
  world.settle();
  CHECK(world.keeper(1).heard() == "");
  contains(world.log(), "overran its 5 s");
}

TEST_CASE("when the worker dies its hooks stop, and all starts anew in the same order") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.notified();
  world.worker().close();
  world.exited(0, SIGSEGV);
  CHECK(grace_of(world.keeper(1).take()) == 2000);
  contains(world.notified(), "STATUS=the worker is starting again");
  world.start_worker();
  world.report();
  CHECK(world.worker().heard() == "config");
  CHECK(world.keeper(1).heard() == "");  // the old one is still there
  world.exited(1, SIGTERM);
  world.start_hook(1);
  world.hook_state(1, 2, HookState::kReady);
  CHECK(world.worker().heard() == "hook serve");
}

TEST_CASE("a hook that has only seen its dead worker's EOF is not held responsible") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.log();
  world.worker().close();
  world.keeper(1).say(FrameKind::kExited, sys::as_body(sys::Exited{.wait_status = 0, .exec_errno = 0}));
  world.settle();
  world.exited(0, SIGKILL);
  const std::string log = world.log();
  contains(log, "hook exit hook=policy/1 status=0");
  CHECK(log.find("next_start_ms=0 failures=1 hook") == std::string::npos);
  CHECK(world.service().crew().hooks()[0].process().failures() == 0);
}

TEST_CASE("a worker that closes its end is left alone on the way out, and its own exit status is told") {
  World world(config_with({}));
  world.bring_up();
  world.keeper(0).heard();
  world.worker().close();
  world.settle();
  SUBCASE("it ends") { CHECK(world.keeper(0).heard() == ""); }
  SUBCASE("it ends while the daemon stops") {
    world.service().terminate();
    CHECK(world.keeper(0).heard() == "release");
  }
  SUBCASE("before the second signal, which is for all") {
    world.service().terminate();
    world.service().terminate();
    CHECK(world.keeper(0).heard() == "release release stop");
  }
  world.exited(0, kStatus1);
  contains(world.log(), "worker exit status=1 ran_ms=0");
}

TEST_CASE("a worker that closed its end and ended costs its successor nothing") {
  World world(config_with({}));
  world.bring_up();
  world.worker().close();
  world.settle();
  world.exited(0, kStatus1);
  world.start_worker();
  world.report();
  world.keeper(0).heard();
  world.pass(seconds(3));
  CHECK(world.keeper(0).heard() == "");
}

TEST_CASE("a worker that closes its end and stays is killed after 2 s") {
  World world(config_with({}));
  world.bring_up();
  world.keeper(0).heard();
  world.worker().close();
  world.settle();
  world.pass(milliseconds(1999));
  CHECK(world.keeper(0).heard() == "");
  world.pass(milliseconds(1));
  CHECK(grace_of(world.keeper(0).take()) == 0);
  world.exited(0, SIGKILL);
  contains(world.log(), R"(worker exit signal=9 ran_ms=2000 reason="it closed its control socket")");
}

TEST_CASE("a worker that sends a bad frame is killed and started again") {
  const auto bad = [](auto say) {
    World world(config_with({"policy"}));
    world.bring_up();
    say(world);
    world.settle();
    CHECK(grace_of(world.keeper(0).take()) == 0);
    CHECK(world.worker().closed());
    world.exited(0, SIGKILL);
    world.start_worker();
  };
  SUBCASE("no frame at all") {
    bad([](World& world) { world.worker().say_raw("x"); });
  }
  SUBCASE("a second report") {
    bad([](World& world) { world.worker().say(FrameKind::kReport, sys::as_body(harmless_report())); });
  }
  SUBCASE("drained, but nobody asked") {
    bad([](World& world) { world.worker().say(FrameKind::kDrained); });
  }
  SUBCASE("a configuration taken, but none was handed over") {
    bad([](World& world) { world.worker().say(FrameKind::kConfigured); });
  }
  SUBCASE("a slot that does not exist") {
    bad([](World& world) { world.hook_state(2, 1, HookState::kReady); });
  }
  SUBCASE("its own slot") {
    bad([](World& world) { world.hook_state(0, 1, HookState::kReady); });
  }
  SUBCASE("a process that was never started") {
    bad([](World& world) { world.hook_state(1, 2, HookState::kReady); });
  }
  SUBCASE("a state that does not exist") {
    bad([](World& world) { world.hook_state(1, 1, static_cast<HookState::State>(9)); });
  }
  SUBCASE("a status that nobody asked for") {
    bad([](World& world) {
      world.worker().say(FrameKind::kStatus, std::string(sys::as_body(sys::Token{.value = 9})) + "{}");
    });
  }
}

TEST_CASE("a worker with a privilege, or with another identity than its keeper's, never gets a configuration") {
  sys::ProcessReport report = harmless_report();
  SUBCASE("root") { report.uids[2] = 0; }
  SUBCASE("a capability") { report.capabilities[1] = 1; }
  SUBCASE("no_new_privs is not set") { report.no_new_privs = 0; }
  SUBCASE("another uid") { report.uids[0] = 1000; }
  SUBCASE("another namespace") { report.namespaces[2] = 99; }
  World world(config_with({}));
  world.start_worker();
  world.worker().say(FrameKind::kReport, sys::as_body(report));
  world.settle();
  CHECK(world.worker().closed());
  CHECK(grace_of(world.keeper(0).take()) == 0);
  CHECK(world.notified() == "");
}

TEST_CASE("a worker that never reports is killed") {
  World world(config_with({}));
  world.start_worker();
  world.pass(seconds(10));
  CHECK(grace_of(world.keeper(0).take()) == 0);
}

TEST_CASE("a worker that cannot be executed, or fails three times before it ever served, ends the start") {
  World world(config_with({}));
  SUBCASE("execve") {
    world.keeper(0).take();
    world.exited(0, 0, ENOENT);
    contains(world.log(), "No such file or directory");
  }
  SUBCASE("three times") {
    for (int i = 0; i < 3; ++i) {
      world.pass(seconds(1));
      world.start_worker();
      world.exited(0, kStatus1);
    }
  }
  CHECK(world.service().exit_status() == EX_SOFTWARE);
}

TEST_CASE("a keeper that sends a bad frame is let go, and only its own slot is lost") {
  World world(config_with({"policy", "store"}));
  world.bring_up();
  SUBCASE("kStarted, though nothing was started") {
    world.keeper(1).say_raw(std::string(8 + sizeof(sys::Started), '\0'));
  }
  SUBCASE("a second report") { world.keeper(1).say(FrameKind::kReport, sys::as_body(harmless_report())); }
  SUBCASE("it is dead") { world.service().keeper_ended(1001, SIGKILL); }
  world.settle();
  CHECK(world.keeper(1).closed());
  contains(world.log(), "hook keeper lost hook=policy/1");
  contains(world.notified(), "policy/1 (gone)");
  // The worker has seen the end of the hook's pipes, which is nothing to start it again for.
  const sys::HookProcess ended{.slot = 1, .instance = 1, .generation = 1};
  world.worker().say(FrameKind::kRestartHook, std::string(sys::as_body(ended)) + "it ended");
  world.settle();
  contains(world.service().crew().hooks().front().last_error(), "restart hooksmtpd");
  CHECK(world.log().empty());
  CHECK_FALSE(world.service().exit_status());
  CHECK(world.service().crew().serving());
}

TEST_CASE("without the worker's keeper the daemon stops and says so with its exit status") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.service().keeper_ended(1000, SIGKILL);
  world.settle();
  contains(world.log(), "worker keeper lost");
  world.exited(1, SIGTERM);
  CHECK(world.service().exit_status() == EX_SOFTWARE);
}

TEST_CASE("a keeper that sends the wrong number of descriptors is let go") {
  World world(config_with({"policy"}));
  world.start_worker();
  world.report();
  world.keeper(1).take();
  std::vector<sys::Fd> two;
  two.emplace_back(::dup(0));
  two.emplace_back(::dup(0));
  world.keeper(1).say(FrameKind::kStarted, sys::as_body(sys::Started{.pid = 7}), std::move(two));
  world.settle();
  CHECK(world.keeper(1).closed());
}

TEST_CASE("stop: listeners first, then sessions, the worker, the hooks by EOF") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.keeper(0).heard();
  world.worker().heard();
  world.notified();
  world.service().terminate();
  CHECK(world.keeper(0).heard() == "release");
  CHECK(world.worker().heard() == "release drain");
  contains(world.notified(), "STOPPING=1");

  world.worker().say(FrameKind::kDrained);
  world.settle();
  CHECK(world.keeper(0).heard() == "stop");
  CHECK(world.keeper(1).heard() == "");
  world.exited(0, 0);
  CHECK_FALSE(world.service().exit_status());
  world.exited(1, 0);
  CHECK(world.service().exit_status() == 0);
}

TEST_CASE("stop: a worker that closes its end on the way out is not killed for that") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.service().terminate();
  world.worker().say(FrameKind::kDrained);
  world.settle();
  CHECK(world.keeper(0).heard() == "release stop");
  world.worker().close();
  world.settle();
  CHECK(world.keeper(0).heard() == "");
  world.exited(0, 0);
  contains(world.log(), "worker exit status=0");
}

TEST_CASE("stop: sessions and hooks that do not end have a limit each") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.service().terminate();
  world.keeper(0).heard();
  world.pass(seconds(31));
  CHECK(grace_of(world.keeper(0).take()) == 1000);
  world.exited(0, SIGTERM);
  CHECK(world.keeper(1).heard() == "");
  world.pass(seconds(1));
  CHECK(grace_of(world.keeper(1).take()) == 2000);
  world.pass(seconds(3));
  CHECK(world.service().exit_status() == 0);  // its keeper kills it when the life pipe ends
}

TEST_CASE("stop: a hook that dies while sessions drain is still replaced; later it is not") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.service().terminate();
  world.exited(1, kStatus1);
  world.start_hook(1);
  world.exited(1, kStatus1);  // now it waits for 0.1 s
  world.worker().say(FrameKind::kDrained);
  world.settle();
  world.exited(0, 0);
  CHECK(world.service().exit_status() == 0);
}

TEST_CASE("stop: the second signal kills") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.service().terminate();
  world.keeper(0).heard();
  world.service().terminate();
  world.settle();
  CHECK(world.keeper(0).heard() == "release stop");
  CHECK(grace_of(world.keeper(1).take()) == 0);
  world.exited(0, SIGKILL);
  world.exited(1, SIGKILL);
  CHECK(world.service().exit_status() == 0);
}

TEST_CASE("stop before anything has started") {
  World world(config_with({"policy"}));
  SUBCASE("the worker is on its way") {
    world.service().terminate();
    world.start_worker();
    CHECK(world.keeper(0).heard() == "release stop");
    world.exited(0, SIGTERM);
  }
  SUBCASE("the worker waits for its next start") {
    world.start_worker();
    world.exited(0, kStatus1);
    world.start_worker();
    world.exited(0, kStatus1);
    world.service().terminate();
  }
  world.settle();
  CHECK(world.service().exit_status() == 0);
}

TEST_CASE("a keeper that neither starts nor stops its child is given up") {
  World world(config_with({"policy"}));
  world.start_worker();
  world.report();
  world.pass(seconds(30));
  CHECK(world.keeper(1).closed());
  contains(world.log(), "it does not answer");
}

}  // namespace
}  // namespace hooksmtpd::launcher
