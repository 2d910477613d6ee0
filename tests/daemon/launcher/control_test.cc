// What the control socket answers, and what its commands do (commands.h, control.h, live_config.h).

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/sys/memfd.h"
#include "tests/daemon/launcher/world.h"

namespace hooksmtpd::launcher {
namespace {

using nlohmann::json;
using sys::FrameKind;

// The configuration that the worker has been given last.
config::Config given_config(World& world) {
  std::optional<config::Config> config;
  while (const auto frame = world.worker().take()) {
    if (frame->kind != FrameKind::kConfig) continue;
    const auto text = sys::read_sealed_memfd(frame->fds.at(0));
    REQUIRE(text);
    config = config::from_json(*text);
  }
  REQUIRE(config);
  return *config;
}

TEST_CASE("status has what the supervisor knows, and the numbers of the worker") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.worker().heard();
  world.ask_nothing_yet("{\"command\":\"status\"}\n");
  const auto asked = world.worker().take();
  REQUIRE(asked);
  REQUIRE(asked->kind == FrameKind::kStatusAsked);
  world.worker().say(FrameKind::kStatus, asked->body + R"({"sessions":3,"state":7,"words":"no","pid":1,)"
                                                       R"("hooks":[{"slot":1,"waiting":2,"name":"other"},7]})");
  const json reply = json::parse(world.answer());
  CHECK(reply["ok"] == true);
  CHECK(reply["state"] == "running");
  CHECK(reply["addresses"][0]["address"] == "127.0.0.1:25");
  CHECK(reply["isolation"]["level"] == "namespaced");
  CHECK(reply["worker"]["sessions"] == 3);
  CHECK(reply["worker"]["state"] == "serving");
  CHECK_FALSE(reply["worker"].contains("words"));
  CHECK(reply["hooks"][0]["name"] == "policy");
  CHECK(reply["hooks"][0]["state"] == "ready");
  CHECK(reply["hooks"][0]["waiting"] == 2);
}

TEST_CASE("hooks are told with the worker's numbers, and nothing else of it") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.worker().heard();
  world.ask_nothing_yet("{\"command\":\"hooks\"}\n");
  const auto asked = world.worker().take();
  REQUIRE(asked);
  world.worker().say(FrameKind::kStatus, asked->body + R"({"hooks":[{"slot":1,"p99_us":7,"state":"\u001b[2J"}]})");
  const json reply = json::parse(world.answer());
  CHECK(reply["ok"] == true);
  CHECK(reply["hooks"][0]["p99_us"] == 7);
  CHECK(reply["hooks"][0]["state"] == "ready");
  CHECK_FALSE(reply.contains("worker"));
}

TEST_CASE("a subscriber is handed to the worker, with its request and its socket") {
  World world(config_with({}));
  world.ask_nothing_yet("{\"command\":\"trace\"}\n");
  CHECK(json::parse(world.answer())["kind"] == "unavailable");
  world.bring_up();
  world.worker().heard();
  world.ask_nothing_yet("{\"command\":\"trace\"}\n");
  CHECK(world.answer().empty());
  const auto frame = world.worker().take();
  REQUIRE(frame);
  CHECK(frame->kind == FrameKind::kSubscribe);
  CHECK(frame->body == R"({"command":"trace"})");
  REQUIRE(::write(frame->fds.at(0).get(), "{\"ok\":true}\n", 12) == 12);
  CHECK(world.answer() == "{\"ok\":true}\n");
}

TEST_CASE("a hook is restarted when the worker has let it finish, and nothing is held against it") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.worker().heard();
  CHECK(world.ask({{"command", "restart-hook"}, {"hook", "policy"}})["restarting"] == json{"policy/1"});
  const auto frame = world.worker().take();
  REQUIRE(frame);
  REQUIRE(frame->kind == FrameKind::kRetireHook);
  const auto which = sys::body_as<sys::HookProcess>(frame->body);
  CHECK(which.slot == 1);
  world.keeper(1).heard();
  world.settle();
  CHECK(world.keeper(1).heard().empty());
  world.worker().say(FrameKind::kRestartHook, std::string(sys::as_body(which)) + "it is to be replaced");
  world.settle();
  CHECK(world.keeper(1).heard() == "stop");
  world.exited(1, SIGTERM);
  CHECK(world.keeper(1).heard() == "start");
  CHECK(world.ask({{"command", "restart-hook"}, {"hook", "polcy"}})["error"] ==
        "no hook 'polcy' — did you mean 'policy'?");
  CHECK(world.ask({{"command", "restart-hook"}, {"hook", "policy"}, {"instance", 2}})["error"] ==
        "hook policy has no instance 2");
}

TEST_CASE("the patience with a hook that is to be replaced ends with it") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.ask({{"command", "restart-hook"}, {"hook", "policy"}});
  const sys::HookProcess which{.slot = 1, .instance = 1, .generation = 1};
  world.worker().say(FrameKind::kRestartHook, std::string(sys::as_body(which)) + "it is to be replaced");
  world.settle();
  CHECK(world.keeper(1).heard() == "stop");
  world.exited(1, SIGTERM);
  world.start_hook(1);
  world.hook_state(1, 2, sys::HookState::kReady);
  for (int i = 0; i < 16; ++i) {
    world.pass(std::chrono::seconds(5));
    world.worker().heard();  // it answers
    world.settle();
  }
  CHECK(world.keeper(1).heard() == "");
}

TEST_CASE("status does not wait for a worker that does not answer, or is not there") {
  World world(config_with({}));
  world.ask_nothing_yet("{\"command\":\"status\"}\n");
  CHECK(json::parse(world.answer())["state"] == "starting");
  world.bring_up();
  world.ask_nothing_yet("{\"command\":\"status\"}\n");
  CHECK(world.answer() == "");
  world.pass(std::chrono::seconds(1));
  CHECK(json::parse(world.answer())["worker"]["state"] == "serving");
  // Its late answer harms nobody.
  world.worker().heard();
  world.worker().say(FrameKind::kStatus, std::string(sys::as_body(sys::Token{.value = 1})) + "{}");
  world.settle();
  CHECK(world.service().crew().serving());
}

TEST_CASE("ready names what is missing") {
  World world(config_with({"policy"}));
  CHECK(world.ask({{"command", "ready"}})["error"] == "not ready: worker (starting), hook policy/1 (idle)");
  world.bring_up();
  CHECK(world.ask({{"command", "ready"}})["ok"] == true);
  world.exited(1, SIGSEGV);
  const json reply = world.ask({{"command", "ready"}});
  CHECK(reply["ok"] == false);
  CHECK(reply["missing"][0]["name"] == "policy");
  CHECK(reply["missing"][0]["last_error"] == "it ended by itself (signal=11)");
}

TEST_CASE("configure holds at once and until reload; cget tells where a value comes from") {
  World world(config_with({}));
  world.bring_up();
  CHECK(world.ask({{"command", "configure"}, {"key", "banner"}, {"value", "hello"}})["changed"] == json{"banner"});
  CHECK(given_config(world).banner == "hello");
  const json value = world.ask({{"command", "cget"}, {"key", "banner"}})["values"][0];
  CHECK(value["value"] == "hello");
  CHECK(value["origin"] == "configure");
  CHECK(world.ask({{"command", "cget"}})["values"].size() > 5);

  CHECK(world.ask({{"command", "reload"}})["changed"] == json{"banner"});
  CHECK(given_config(world).banner == "hooksmtpd");
}

TEST_CASE("configure refuses what does not exist, what is no value, and what takes a restart") {
  World world(config_with({}));
  world.bring_up();
  world.worker().heard();
  const auto kind = [&](const char* key, const char* value) {
    const json reply = world.ask({{"command", "configure"}, {"key", key}, {"value", value}});
    CHECK(reply["ok"] == false);
    return reply["kind"];
  };
  CHECK(kind("bannner", "x") == "usage");
  CHECK(kind("limits.recipients", "many") == "usage");
  CHECK(kind("spool_size", "1M") == "restart-needed");
  CHECK(world.worker().heard() == "");
}

TEST_CASE("reload changes all or nothing") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.worker().heard();
  world.notified();

  SUBCASE("a mistake") {
    config::Problem problem;
    problem.where = {.file = "/etc/x.toml", .line = 3, .column = 1};
    problem.text = "unknown key 'x'";
    world.next_problems.push_back(std::move(problem));
    const json reply = world.ask({{"command", "reload"}});
    CHECK(reply["kind"] == "config");
    CHECK(reply["error"] == "/etc/x.toml:3:1: unknown key 'x'");
  }
  SUBCASE("something that takes a privilege") {
    world.next_config.banner = "half";
    world.next_config.hooks.push_back(config_with({"another"}).hooks[0]);
    const json reply = world.ask({{"command", "reload"}});
    CHECK(reply["kind"] == "restart-needed");
    CHECK(reply["error"] == "restart needed: hook.another (new)");
    CHECK(world.service().config().current().banner == "hooksmtpd");
  }
  CHECK(world.worker().heard() == "");
  const std::string told = world.notified();
  CHECK(told.starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(told.find("READY=1") != std::string::npos);
}

TEST_CASE("a reload is done when the worker says that it has the new configuration") {
  World world(config_with({}));
  world.bring_up();
  world.log();
  world.notified();
  world.next_config.banner = "renewed";
  world.worker().hang();
  world.ask_nothing_yet("{\"command\":\"reload\"}\n");
  CHECK(world.answer() == "");
  CHECK(world.log() == "");
  const std::string begun = world.notified();
  CHECK(begun.starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(begun.find("READY=1") == std::string::npos);

  SUBCASE("it says so") { world.worker().say(FrameKind::kConfigured); }
  SUBCASE("it dies: the next one begins with it") { world.worker().close(); }
  SUBCASE("a SIGHUP meanwhile is another one after it") {
    world.service().hang_up();
    world.worker().say(FrameKind::kConfigured);
    world.settle();
    const std::string told = world.notified();
    CHECK(told.starts_with("READY=1"));
    CHECK(told.find("\nRELOADING=1") != std::string::npos);
    world.worker().say(FrameKind::kConfigured);
  }
  SUBCASE("and meanwhile another change is refused") {
    world.service().configure("banner", "x", "somebody", [](const Service::Outcome& outcome) {
      REQUIRE_FALSE(outcome);
      CHECK(outcome.error().kind == Refusal::Kind::kUnavailable);
    });
    world.log();
    world.worker().say(FrameKind::kConfigured);
  }
  CHECK(json::parse(world.answer())["changed"] == json{"banner"});
  CHECK(world.log().find("reload by=uid:") != std::string::npos);
  CHECK(world.notified().find("READY=1") != std::string::npos);
}

TEST_CASE("a worker that does not take a new configuration is killed, so that the next one begins with it") {
  World world(config_with({}));
  world.bring_up();
  world.notified();
  world.worker().hang();
  world.ask_nothing_yet("{\"command\":\"reload\"}\n");
  world.pass(std::chrono::seconds(30));
  CHECK(world.keeper(0).heard() == "stop");
  CHECK(json::parse(world.answer())["ok"] == true);
  CHECK(world.notified().find("READY=1\nSTATUS=the worker is starting again") != std::string::npos);
  world.exited(0, SIGKILL);
  CHECK(world.log().find("reason=\"it did not take its configuration\"") != std::string::npos);
}

TEST_CASE("a reload while there is no worker is done at once: the next one begins with it") {
  World world(config_with({}));
  world.bring_up();
  world.exited(0, SIGKILL);
  CHECK(world.ask({{"command", "reload"}})["ok"] == true);
}

TEST_CASE("reload starts a hook with another argument vector anew, without holding that against it") {
  World world(config_with({"policy", "store"}));
  world.bring_up();
  world.next_config.hooks[0].command.push_back("--strict");
  CHECK(world.ask({{"command", "reload"}})["ok"] == true);
  CHECK(world.keeper(1).heard() == "");  // the worker lets it finish what it was asked, and then says so
  const sys::HookProcess which{.slot = 1, .instance = 1, .generation = 1};
  world.worker().say(sys::FrameKind::kRestartHook, std::string(sys::as_body(which)) + "its configuration has changed");
  world.settle();
  CHECK(world.keeper(1).heard() == "stop");
  CHECK(world.keeper(2).heard() == "");
  world.exited(1, SIGTERM);
  const auto start = world.keeper(1).take();
  REQUIRE(start);
  CHECK(start->body == std::string("/opt/hook\0policy\0--strict\0", 26));
  CHECK(world.service().crew().hooks()[0].process().failures() == 0);
}

TEST_CASE("a hook that was just starting when a reload changed its argument vector does not keep the old one") {
  World world(config_with({"policy"}));
  world.bring_up();
  world.exited(1, SIGKILL);
  world.next_config.hooks[0].command.push_back("--strict");
  CHECK(world.ask({{"command", "reload"}})["ok"] == true);
  world.worker().heard();
  world.start_hook(1);  // what the keeper was told before
  CHECK(world.worker().heard() == "");
  CHECK(world.keeper(1).heard() == "stop");
  world.exited(1, SIGKILL);
  const auto start = world.keeper(1).take();
  REQUIRE(start);
  CHECK(start->body == std::string("/opt/hook\0policy\0--strict\0", 26));
  CHECK(world.service().crew().hooks()[0].process().failures() == 1);  // the first one's
}

TEST_CASE("stop answers, and the connection of who waits stays open until the end") {
  World world(config_with({}));
  world.bring_up();
  world.worker().heard();
  CHECK(world.ask({{"command", "stop"}, {"wait", true}})["stopping"] == true);
  CHECK(world.worker().heard() == "release drain");
  CHECK(world.ask({{"command", "reload"}})["kind"] == "unavailable");
}

TEST_CASE("several requests in one piece are answered one by one, in order") {
  World world(config_with({}));
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "{}\n";
  many += "{\"command\":\"ready\"}\n";
  world.ask_nothing_yet(many);
  std::string all;
  for (std::string piece; !(piece = world.answer()).empty();) all += piece;
  CHECK(std::ranges::count(all, '\n') == 5001);
  CHECK(all.ends_with("\"serving\":false}\n"));
}

TEST_CASE("a request without end is refused at 64 KiB") {
  World world(config_with({}));
  world.ask_nothing_yet(std::string(80 * 1024, 'x'));
  CHECK(world.answer().find("at most 64 KiB") != std::string::npos);
}

}  // namespace
}  // namespace hooksmtpd::launcher
