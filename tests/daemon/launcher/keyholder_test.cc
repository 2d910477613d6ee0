// The keyholder's part in the order of things (crew.h), and what it has to say to a reload.

#include <doctest/doctest.h>
#include <signal.h>
#include <sysexits.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "daemon/sys/memfd.h"
#include "tests/daemon/launcher/world.h"

namespace hooksmtpd::launcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using sys::FrameKind;

bool contains(const std::string& text, std::string_view part) {
  INFO("in: ", text);
  INFO("looked for: ", part);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

constexpr const char* kReload = R"({"command":"reload"})"
                                "\n";

TEST_CASE("keyholder, report, keys, worker, socket: each after the one before") {
  World world(config_with({"policy"}), Keys::kHeld);
  CHECK(world.keeper(0).heard() == "");
  world.start_keyholder();
  CHECK(world.keyholder().heard() == "");
  world.keyholder_report();
  CHECK(world.keyholder().heard() == "config");
  CHECK(world.keeper(0).heard() == "");
  world.say_keys(sys::Keys::kOk);
  world.start_worker();
  CHECK(world.keyholder().heard() == "");
  world.report();
  CHECK(world.keyholder().heard() == "client");
  CHECK(world.worker().heard() == "config keyholder");
  world.start_hook(1);
  world.hook_state(1, 1, sys::HookState::kReady);
  CHECK(world.worker().heard() == "hook serve");
  world.ask_nothing_yet(R"({"command":"status"})"
                        "\n");
  world.pass(seconds(1));  // without the worker's share
  const nlohmann::json status = nlohmann::json::parse(world.answer());
  CHECK(status["keyholder"]["state"] == "serving");
  CHECK(status["hooks"][0]["slot"] == 1);
}

TEST_CASE("the keyholder learns no password and nothing of hooks, at the start and from a reload") {
  config::Config config = config_with({"policy"});
  config.auth.passwords = "ann:secret";
  config.hooks[0].environment = {{"TOKEN", "secret"}};
  World world(config, Keys::kHeld);
  world.bring_up();
  world.next_config.banner = "other";
  world.ask_nothing_yet(kReload);
  int configs = 0;
  while (const auto frame = world.keyholder().take()) {
    if (frame->kind != FrameKind::kConfig) continue;
    const auto text = sys::read_sealed_memfd(frame->fds.at(0));
    REQUIRE(text);
    CHECK(text->find("secret") == std::string::npos);
    CHECK(config::from_json(*text).tls == config.tls);
    ++configs;
  }
  CHECK(configs == 2);
}

TEST_CASE("TLS that was switched off can be switched on again: the keyholder is still there") {
  config::Config config = config_with({});
  config.tls.mode = config::TlsMode::kStarttls;
  config.tls.certificates.resize(1);
  config.listeners = {{.name = "smtp", .address = {"127.0.0.1:25"}}};
  World world(config, Keys::kHeld);
  world.bring_up();
  world.next_config.tls.mode = config::TlsMode::kNone;
  world.ask_nothing_yet(kReload);
  world.say_keys(sys::Keys::kOk);
  CHECK(nlohmann::json::parse(world.answer())["ok"] == true);
  CHECK(world.service().config().current().tls.mode == config::TlsMode::kNone);
  world.next_config.tls.mode = config::TlsMode::kStarttls;
  world.ask_nothing_yet(kReload);
  world.say_keys(sys::Keys::kOk);
  CHECK(nlohmann::json::parse(world.answer())["ok"] == true);
  CHECK(world.service().config().current().tls.mode == config::TlsMode::kStarttls);
}

TEST_CASE("what the worker writes on its socket, the keyholder reads") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  std::vector<sys::Fd> ends;
  for (FakePeer* peer : {&world.keyholder(), &world.worker()}) {
    for (auto frame = peer->take(); frame; frame = peer->take()) {
      if (frame->kind != FrameKind::kConfig && !frame->fds.empty()) ends.push_back(std::move(frame->fds[0]));
    }
  }
  REQUIRE(ends.size() == 2);
  REQUIRE(::write(ends[1].get(), "sign", 4) == 4);
  char got[8];
  CHECK(::read(ends[0].get(), got, sizeof got) == 4);
}

TEST_CASE("keys that cannot be used end the start with a configuration error, and no worker ever runs") {
  World world(config_with({}), Keys::kHeld);
  world.start_keyholder();
  world.keyholder_report();
  world.say_keys(sys::Keys::kRefused, "key.pem does not belong to cert.pem");
  contains(world.log(), "key.pem does not belong to cert.pem");
  CHECK(world.keeper(0).heard() == "release");
  world.exited(world.keyholder_slot(), SIGTERM);
  CHECK(world.service().exit_status() == EX_CONFIG);
}

TEST_CASE("a keyholder that cannot be executed ends the start") {
  World world(config_with({}), Keys::kHeld);
  world.keyholder_keeper().take();
  world.exited(world.keyholder_slot(), 0, ENOENT);
  contains(world.log(), "No such file or directory");
  CHECK(world.service().exit_status() == EX_SOFTWARE);
}

TEST_CASE("a keyholder that dies is replaced, the worker serves on and gets a socket to the new one") {
  World world(config_with({"policy"}), Keys::kHeld);
  world.bring_up();
  world.worker().heard();
  world.exited(world.keyholder_slot(), SIGKILL);
  contains(world.log(), "keyholder exit signal=9 ran_ms=0 next_start_ms=0 failures=1");
  CHECK(world.service().crew().serving());
  contains(world.notified(), "STATUS=no TLS: keyholder (starting)");
  const nlohmann::json ready = world.ask({{"command", "ready"}});
  CHECK(ready["ready"] == false);
  CHECK(ready["serving"] == true);

  world.start_keyholder();
  world.keyholder_report();
  CHECK(world.worker().heard() == "");
  world.say_keys(sys::Keys::kOk);
  CHECK(world.keyholder().heard() == "config client");
  CHECK(world.worker().heard() == "keyholder");
  CHECK(world.ask({{"command", "ready"}})["ready"] == true);
  contains(world.notified(), "STATUS=serving");
}

TEST_CASE(
    "a keyholder whose key files have changed stays, and a reload with the certificates that fit brings TLS back") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  world.exited(world.keyholder_slot(), SIGKILL);
  world.start_keyholder();
  world.keyholder_report();
  world.say_keys(sys::Keys::kRefused, "key.pem is not the key of cert.pem");
  contains(world.log(), "no TLS until a reload");
  CHECK(world.keyholder_keeper().heard() == "");
  contains(world.notified(), "STATUS=no TLS: keyholder (keys refused)");
  world.worker().heard();
  world.ask_nothing_yet(kReload);
  CHECK(world.worker().heard() == "");
  world.say_keys(sys::Keys::kOk);
  CHECK(nlohmann::json::parse(world.answer())["ok"] == true);
  CHECK(world.keyholder().heard() == "config config client");
  CHECK(world.worker().heard() == "config keyholder");
}

TEST_CASE("a new worker gets a socket to the keyholder that is there") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  world.keyholder().heard();
  world.exited(0, SIGKILL);
  world.start_worker();
  world.report();
  CHECK(world.keyholder().heard() == "client");
  CHECK(world.worker().heard() == "config keyholder serve");
}

TEST_CASE("a keyholder that does not answer is killed and replaced") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  world.pass(seconds(5));
  world.worker().say(FrameKind::kKeyholderLost);
  world.settle();
  CHECK(world.keyholder_keeper().heard() == "stop");
  world.worker().say(FrameKind::kKeyholderLost);  // it says so again: nothing is left to kill
  world.settle();
  world.exited(world.keyholder_slot(), SIGKILL);
  contains(world.log(), "reason=\"the worker got no signature in time\"");
  world.worker().heard();
  world.start_keyholder();
  world.keyholder_report();
  world.say_keys(sys::Keys::kOk);
  CHECK(world.worker().heard() == "keyholder");

  world.worker().say(FrameKind::kKeyholderLost);  // so soon that it is about the one before
  world.settle();
  CHECK(world.keyholder_keeper().heard() == "");
  CHECK(world.worker().heard() == "");
  world.pass(seconds(1));
  CHECK(world.worker().heard() == "keyholder");
  CHECK(world.keyholder().heard() == "config client client");
}

TEST_CASE("a bad frame, or one that nobody asked for, ends the keyholder and nobody else") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  SUBCASE("broken") { world.keyholder().say_raw("x"); }
  SUBCASE("keys that nobody asked for") { world.say_keys(sys::Keys::kOk); }
  SUBCASE("a second report") { world.keyholder_report(); }
  SUBCASE("a verdict that does not exist") {
    world.ask_nothing_yet(kReload);
    world.say_keys(static_cast<sys::Keys::Verdict>(7));
    contains(world.answer(), R"("kind":"unavailable")");
  }
  world.settle();
  CHECK(world.keyholder().closed());
  CHECK(world.service().crew().serving());
}

TEST_CASE("the worker may not speak of a keyholder that does not exist") {
  World world(config_with({}));
  world.bring_up();
  world.worker().say(FrameKind::kKeyholderLost);
  world.settle();
  CHECK(world.worker().closed());
}

TEST_CASE("a reload waits for the keyholder") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  world.worker().heard();
  world.keyholder().heard();
  world.next_config.banner = "renewed";
  world.ask_nothing_yet(kReload);
  CHECK(world.answer() == "");
  CHECK(world.keyholder().heard() == "config");
  CHECK(world.worker().heard() == "");

  SUBCASE("which has new keys now, and something to say") {
    world.say_keys(sys::Keys::kOk, "key.pem was not read again: chmod 0640");
    const nlohmann::json answer = nlohmann::json::parse(world.answer());
    CHECK(answer["ok"] == true);
    CHECK(answer["changed"] == nlohmann::json{"banner"});
    contains(answer["warnings"].dump(), "was not read again");
    CHECK(world.worker().heard() == "config");
  }
  SUBCASE("which refuses: nothing changes, for anybody") {
    world.say_keys(sys::Keys::kRefused, "key.pem does not belong to cert.pem");
    const nlohmann::json answer = nlohmann::json::parse(world.answer());
    CHECK(answer["kind"] == "config");
    contains(answer["error"], "does not belong");
    CHECK(world.worker().heard() == "");
    CHECK(world.service().config().current().banner == "hooksmtpd");
  }
  SUBCASE("which dies over it") {
    world.exited(world.keyholder_slot(), SIGSEGV);
    const nlohmann::json answer = nlohmann::json::parse(world.answer());
    CHECK(answer["kind"] == "unavailable");
    CHECK(world.service().config().current().banner == "hooksmtpd");
  }
  SUBCASE("which does not answer") {
    world.pass(seconds(10));
    contains(world.answer(), R"("kind":"unavailable")");
    CHECK(world.keyholder_keeper().heard() == "stop");
  }
  SUBCASE("and a SIGHUP meanwhile is another one after it") {
    world.service().hang_up();
    world.say_keys(sys::Keys::kOk);
    CHECK(nlohmann::json::parse(world.answer())["ok"] == true);
    CHECK(world.keyholder().heard() == "config");
  }
  SUBCASE("and the daemon stops meanwhile") {
    world.service().terminate();
    world.say_keys(sys::Keys::kOk);
    contains(world.answer(), "hooksmtpd is stopping");
    CHECK(world.service().config().current().banner == "hooksmtpd");
  }
  SUBCASE("and meanwhile another one is refused") {
    world.service().reload("signal", [](const Service::Outcome& outcome) {
      REQUIRE_FALSE(outcome);
      CHECK(outcome.error().kind == Refusal::Kind::kUnavailable);
    });
    world.say_keys(sys::Keys::kOk);
    CHECK(nlohmann::json::parse(world.answer())["ok"] == true);
  }
}

TEST_CASE("a reload that leaves TLS without a certificate is refused: one of our own is made at start only") {
  config::Config config = config_with({});
  config.tls.mode = config::TlsMode::kStarttls;
  config.listeners = {{.name = "smtp", .address = {"127.0.0.1:25"}}};
  config.tls.certificates.resize(1);
  World world(config, Keys::kHeld);
  world.bring_up();
  world.next_config.tls.certificates.clear();
  const nlohmann::json answer = world.ask({{"command", "reload"}});
  CHECK(answer["kind"] == "restart-needed");
  contains(answer["error"], "tls.certificate (one of our own is made at start only)");
}

TEST_CASE("a keyholder that is down refuses a reload, and no other change") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  world.exited(world.keyholder_slot(), SIGKILL);
  CHECK(world.ask({{"command", "reload"}})["kind"] == "unavailable");
  CHECK(world.ask({{"command", "configure"}, {"key", "banner"}, {"value", "x"}})["ok"] == true);
}

TEST_CASE("stop: the keyholder ends with the worker") {
  World world(config_with({}), Keys::kHeld);
  world.bring_up();
  world.service().terminate();
  CHECK(world.keyholder_keeper().heard() == "");  // sessions that drain may still need it
  world.worker().say(FrameKind::kDrained);
  world.settle();
  CHECK(world.keyholder_keeper().heard() == "stop");
  world.exited(0, 0);
  CHECK_FALSE(world.service().exit_status());
  world.exited(world.keyholder_slot(), SIGTERM);
  CHECK(world.service().exit_status() == 0);
}

}  // namespace
}  // namespace hooksmtpd::launcher
