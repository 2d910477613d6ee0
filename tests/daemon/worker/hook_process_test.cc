// HookProcess with a hook that the test plays at the other end of the pipes.

#include "daemon/worker/hook_process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/sys/pair.h"

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
using std::chrono::milliseconds;

namespace {

const std::string kHello = "{\"event\":\"hello\"}\n";

struct Asking final : Asker {
  void outcome(Outcome&& outcome) override { outcomes.push_back(std::move(outcome)); }
  hooksmtpd::sys::About about() const override { return {.session = "s"}; }

  std::vector<Outcome> outcomes;
};

struct Stage {
  Stage()
      : log_pipe(sys::make_pipe()),
        log(sys::Log::to_pipe(std::move(log_pipe.write))),
        process({.base = base.get(),
                 .log = log,
                 .tracer = tracer,
                 .restart = [this](HookProcess&, const std::string& reason) { restarts.push_back(reason); },
                 .state = [this](HookProcess&, const std::string& failure) { states.push_back(failure); },
                 .busy = [this](HookProcess&) { busy = true; }},
                "test", 1) {}

  void start(milliseconds start_timeout = std::chrono::seconds(10)) {
    sys::Pipe input = sys::make_pipe(), output = sys::make_pipe(), error = sys::make_pipe();
    hook_reads = std::move(input.read);
    hook_writes = std::move(output.write);
    hook_complains = std::move(error.write);
    fcntl(hook_reads.get(), F_SETFL, O_NONBLOCK);
    process.start(
        ++generation, {std::move(input.write), std::move(output.read), std::move(error.read)},
        [](hook::RequestId) { return kHello; }, start_timeout);
    turn();
  }
  void start_and_greet(const std::string& greeting = "ok\n") {
    start();
    CHECK(read() == kHello);
    say(greeting);
    CHECK(process.ready());
  }

  // One turn of the event loop: what is there is handled, and if nothing is, a timer.
  void turn(int flags = EVLOOP_NONBLOCK) {
    event_base_loop(base.get(), EVLOOP_ONCE | flags);
    while (std::exchange(busy, false)) process.end_of_turn();
  }
  void say(const std::string& text) {
    REQUIRE(write(hook_writes.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    turn(0);
  }
  std::string read() {
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(hook_reads.get(), buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
  }
  std::string logged() {
    log.flush();
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(log_pipe.read.get(), buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
  }
  void ask(const std::string& line, milliseconds timeout = std::chrono::seconds(10)) {
    const std::size_t before = asking.outcomes.size();
    process.ask({.id = process.next_id(),
                 .event = hook::Event::kValidateSender,
                 .line = line + "\n",
                 .timeout = timeout,
                 .asker = &asking});
    CHECK(asking.outcomes.size() == before);  // never from within ask()
    turn();
  }

  EventBase base{event_base_new()};
  sys::Pipe log_pipe;
  sys::Log log;
  Tracer tracer;
  std::vector<std::string> restarts, states;
  bool busy = false;
  HookProcess process;
  Asking asking;

  std::uint32_t generation = 0;
  sys::Fd hook_reads, hook_writes, hook_complains;
};

}  // namespace

TEST_CASE("a process is greeted before it is asked, and a serial one is asked one thing at a time") {
  Stage stage;
  stage.ask("one");
  stage.ask("two");
  stage.start();
  CHECK(stage.read() == kHello);
  stage.say("ok\n");
  CHECK(stage.states == std::vector<std::string>{""});
  CHECK(stage.read() == "one\n");
  stage.say("reject 550 5.1.1 no\n");
  REQUIRE(stage.asking.outcomes.size() == 1);
  CHECK(stage.asking.outcomes[0].verdict.code == 550);
  CHECK(stage.read() == "two\n");
}

TEST_CASE("a concurrent one is asked all at once, in one write") {
  Stage stage;
  stage.start_and_greet("{\"concurrency\":8}\n");
  for (const char* line : {"one\n", "two\n", "three\n"}) {
    stage.process.ask({.id = stage.process.next_id(),
                       .event = hook::Event::kValidateSender,
                       .line = line,
                       .timeout = std::chrono::seconds(10),
                       .asker = &stage.asking});
  }
  stage.turn();
  CHECK(stage.read() == "one\ntwo\nthree\n");
  stage.say("{\"id\":3,\"action\":\"accept\"}\n{\"id\":2,\"action\":\"defer\"}\n");
  CHECK(stage.asking.outcomes.size() == 2);
}

TEST_CASE("when it dies, what it was asked fails, what waits goes to its successor, and a restart is asked for") {
  Stage stage;
  stage.start_and_greet();
  stage.ask("one");
  stage.ask("two");
  CHECK(stage.read() == "one\n");
  const std::string last_words = "<3>Traceback: it hurts\n";
  REQUIRE(write(stage.hook_complains.get(), last_words.data(), last_words.size()) > 0);
  stage.hook_writes.reset();
  stage.turn(0);
  REQUIRE(stage.asking.outcomes.size() == 1);
  CHECK(stage.asking.outcomes[0].kind == Outcome::kFailed);
  CHECK(stage.restarts.size() == 1);
  CHECK(stage.logged().contains("hook test/1 session=s: Traceback: it hurts\n"));
  stage.start_and_greet();
  CHECK(stage.read() == "two\n");
}

TEST_CASE("a serial one that overruns is restarted; one that says no hello is reported with the fix") {
  Stage stage;
  stage.start_and_greet();
  stage.ask("slow", milliseconds(20));
  stage.turn(0);  // the timer
  REQUIRE(stage.asking.outcomes.size() == 1);
  CHECK(stage.asking.outcomes[0].kind == Outcome::kFailed);
  CHECK(stage.restarts.size() == 1);

  stage.start(milliseconds(20));
  stage.turn(0);
  REQUIRE(stage.states.size() == 2);
  CHECK(stage.states[1].contains("flush"));
}

TEST_CASE("what waits for a process that does not come is given up in time") {
  Stage stage;
  stage.ask("nobody hears", milliseconds(20));
  stage.turn(0);
  REQUIRE(stage.asking.outcomes.size() == 1);
  CHECK(stage.asking.outcomes[0].reason == "it is not running");
}

TEST_CASE("one that is to be replaced finishes what it was asked, and its successor gets what waits") {
  Stage stage;
  stage.start_and_greet();
  stage.ask("one");
  stage.process.retire();
  stage.ask("two");
  CHECK(stage.restarts.empty());
  CHECK(stage.read() == "one\n");
  stage.say("reject 550 5.1.1 no\n");
  REQUIRE(stage.asking.outcomes.size() == 1);
  CHECK(stage.asking.outcomes[0].verdict.code == 550);
  CHECK(stage.restarts.size() == 1);
  CHECK_FALSE(stage.process.failed());
  stage.start_and_greet();
  CHECK(stage.read() == "two\n");
}

TEST_CASE("what was not written yet can be taken back, and what was cannot") {
  Stage stage;
  stage.start_and_greet();
  stage.ask("one");
  Asking other;
  stage.process.ask({.id = stage.process.next_id(),
                     .event = hook::Event::kValidateSender,
                     .line = "two\n",
                     .timeout = std::chrono::seconds(10),
                     .asker = &other});
  stage.turn();
  CHECK(stage.process.take_back(other));
  CHECK_FALSE(stage.process.take_back(stage.asking));
  CHECK(stage.read() == "one\n");
  stage.say("ok\n");
  CHECK(stage.read() == "");
  CHECK(other.outcomes.empty());
}

TEST_CASE("no more than kMaxWaiting wait; the next is told at the end of the turn") {
  Stage stage;
  for (std::size_t i = 0; i < HookProcess::kMaxWaiting; ++i) stage.ask("x");
  CHECK(stage.asking.outcomes.empty());
  stage.ask("one too many");
  REQUIRE(stage.asking.outcomes.size() == 1);
  CHECK(stage.asking.outcomes[0].kind == Outcome::kQueueFull);
}

TEST_CASE("one that cannot even say hello is not waited for") {
  Stage stage;
  stage.ask("before it is known");
  stage.start();
  stage.hook_writes.reset();
  stage.turn(0);
  CHECK(stage.process.failed());
  CHECK(stage.asking.outcomes.size() == 1);
  stage.ask("afterwards");
  CHECK(stage.asking.outcomes.size() == 2);
}

TEST_CASE("one that died ten times is not waited for") {
  Stage stage;
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(stage.process.failed());
    stage.start_and_greet();
    stage.hook_writes.reset();
    stage.turn(0);
  }
  CHECK(stage.process.failed());
  stage.ask("anybody there?");
  REQUIRE(stage.asking.outcomes.size() == 1);
  CHECK(stage.asking.outcomes[0].kind == Outcome::kFailed);
  stage.start_and_greet();
  stage.ask("again");
  CHECK(stage.read() == "again\n");
}

TEST_CASE("a hook that does not read stops nobody, and gets all of it when it does") {
  Stage stage;
  stage.start_and_greet();
  const std::string large(300 * 1024, 'x');
  stage.ask(large);
  std::string got;
  for (int turns = 0; turns < 1000 && got.size() < large.size() + 1; ++turns) {
    got += stage.read();
    stage.turn();
  }
  CHECK(got == large + "\n");
}

TEST_CASE("a flood on standard error is cut to so many lines a second, and counted") {
  Stage stage;
  stage.start_and_greet();
  std::string flood;
  for (int i = 0; i < 150; ++i) flood += "noise\n";
  REQUIRE(write(stage.hook_complains.get(), flood.data(), flood.size()) > 0);
  stage.turn(0);
  const std::string log = stage.logged();
  CHECK(std::ranges::count(log, '\n') == LogLimit::kLinesPerSecond);
}

TEST_CASE("how long answers took is counted, in all and for each event; hello and failures are not") {
  Stage stage;
  stage.start_and_greet();
  CHECK(stage.process.latency().count() == 0);
  stage.ask("one");
  stage.say("ok\n");
  stage.ask("two");
  stage.say("{\"action\":\"nonsense\"}\n");
  REQUIRE(stage.asking.outcomes.size() == 2);
  CHECK(stage.asking.outcomes[0].took.count() > 0);
  CHECK(stage.process.latency().count() == 1);
  REQUIRE(stage.process.latency(hook::Event::kValidateSender) != nullptr);
  CHECK(stage.process.latency(hook::Event::kValidateSender)->count() == 1);
  CHECK(stage.process.latency(hook::Event::kDeliver) == nullptr);
}

TEST_CASE("who listens hears all that goes to a hook and comes from it, in order") {
  Stage stage;
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const sys::Fd listener(ends[0]);
  stage.tracer.subscribe(std::make_unique<Subscriber>(stage.base.get(), sys::Fd(ends[1]), Tracer::kMaxQueued),
                         *TraceFilter::parse(nlohmann::json::object()));
  stage.start_and_greet();
  stage.ask(R"({"session":"s1","listener":"smtp","client":{"ip":"192.0.2.7"}})");
  REQUIRE(write(stage.hook_complains.get(), "oops\n", 5) == 5);
  stage.turn();
  stage.say("what?\n");
  stage.say("reject 550 no\n");
  stage.hook_writes.reset();
  stage.turn();
  stage.ask(R"({"session":"s2","listener":"smtp","client":{"ip":"192.0.2.7"}})", milliseconds(1));
  stage.turn(0);
  stage.tracer.end_of_turn();
  std::array<char, 16384> buffer;
  const ssize_t got = recv(listener.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  REQUIRE(got > 0);
  std::string heard;
  std::istringstream lines(std::string(buffer.data(), static_cast<std::size_t>(got)));
  for (std::string line; std::getline(lines, line);) {
    const auto entry = nlohmann::json::parse(line);
    const auto text = [&](const char* key) { return entry.value(key, ""); };
    heard += text("from") + " " + text("what") + text("reply") + text("stderr") + " " + text("session") +
             text("state") + "\n";
  }
  CHECK(heard ==
        "daemon request \n"
        "hook ok \n"
        "daemon hook ready\n"
        "daemon request s1\n"
        "hook oops s1\n"
        "daemon hook errs\n"
        "hook reject 550 no s1\n"
        "daemon hook gone\n"
        "hook  s2\n");
}

TEST_CASE("a cancel goes before what waits, and not at all once its target is answered") {
  Stage stage;
  stage.start_and_greet("{\"concurrency\":2}\n");
  const auto cancel = [&](hook::RequestId target) {
    stage.process.ask({.id = stage.process.next_id(),
                       .event = hook::Event::kCancel,
                       .line = "cancel\n",
                       .timeout = std::chrono::seconds(10),
                       .urgent = true,
                       .target = target});
  };
  stage.ask("two");
  stage.ask("three");
  stage.ask("four");
  CHECK(stage.read() == "two\nthree\n");
  CHECK(stage.process.has(2));
  CHECK(!stage.process.has(4));
  cancel(2);
  cancel(3);
  stage.say("{\"id\":3,\"action\":\"accept\"}\n");
  CHECK(stage.read() == "cancel\n");
  stage.say("{\"id\":5,\"action\":\"accept\"}\n{\"id\":2,\"action\":\"accept\"}\n");
  CHECK(stage.read() == "four\n");
  CHECK(!stage.process.has(2));
}

TEST_CASE("whoever asked is told whether a request over its time is still with the hook") {
  Stage stage;
  stage.start_and_greet("{\"concurrency\":2}\n");
  stage.ask("two", milliseconds(10));
  while (stage.asking.outcomes.empty()) stage.turn(0);
  CHECK(stage.asking.outcomes.front().late);
  CHECK(stage.process.has(2));

  Stage serial;
  serial.start_and_greet();
  serial.ask("two", milliseconds(10));
  while (serial.asking.outcomes.empty()) serial.turn(0);
  CHECK(!serial.asking.outcomes.front().late);
}

TEST_CASE("what is urgent waits however much waits already") {
  Stage stage;
  for (std::size_t i = 0; i < HookProcess::kMaxWaiting; ++i) stage.ask("x");
  CHECK(stage.asking.outcomes.empty());
  stage.process.ask({.id = stage.process.next_id(),
                     .event = hook::Event::kReset,
                     .line = "over\n",
                     .timeout = std::chrono::seconds(10),
                     .asker = &stage.asking,
                     .urgent = true});
  stage.turn();
  CHECK(stage.asking.outcomes.empty());
  stage.start_and_greet();
  CHECK(stage.read() == "over\n");
}

TEST_CASE("what waits for a hook that does not read is bounded, however many requests it takes at once") {
  Stage stage;
  stage.start_and_greet("{\"concurrency\":256}\n");
  constexpr std::size_t kLine = 1024 * 1024, kAsked = 40;
  for (std::size_t i = 0; i < kAsked; ++i) stage.ask(std::string(kLine - 1, 'x'));
  const auto full =
      std::ranges::count_if(stage.asking.outcomes, [](const Outcome& one) { return one.kind == Outcome::kQueueFull; });
  CHECK(static_cast<std::size_t>(full) >= kAsked - HookProcess::kMaxWaitingOctets / kLine - 1);
  CHECK(stage.asking.outcomes.back().reason == "16 requests of 16777216 octets wait already");

  // What was not refused it gets in the end, each line whole.
  std::size_t lines = 0, octets = 0;
  while (octets < (kAsked - static_cast<std::size_t>(full)) * kLine) {
    const std::string text = stage.read();
    octets += text.size();
    lines += static_cast<std::size_t>(std::ranges::count(text, '\n'));
    if (text.empty()) stage.turn(0);
  }
  CHECK(lines == kAsked - static_cast<std::size_t>(full));
}

TEST_CASE("of a long line on standard error nothing is lost: it is cut into pieces") {
  Stage stage;
  stage.start_and_greet();
  fcntl(stage.log_pipe.read.get(), F_SETFL, O_NONBLOCK);
  constexpr std::size_t kPiece = 2048;
  const std::string line = std::string(kPiece, 'a') + "b\n" + std::string(kPiece, 'c') + "\nd\n";
  REQUIRE(write(stage.hook_complains.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  stage.turn(0);
  std::string logged;
  for (std::string more = stage.logged(); !more.empty(); more = stage.logged()) logged += more;
  CHECK(logged.contains(std::string(kPiece, 'a')));
  for (const char* rest : {"hook test/1: b", "hook test/1: c", "hook test/1: d"}) CHECK(logged.contains(rest));
  CHECK(std::ranges::count(logged, 'a') == kPiece);
  CHECK(std::ranges::count(logged, 'c') == kPiece);
}
