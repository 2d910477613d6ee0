#include "daemon/worker/trace_ring.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/worker/cursor.h"

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
using namespace std::chrono_literals;

namespace {

struct Stage {
  void keep(std::string_view line, TraceKind kind = TraceKind::kClient) {
    ring.keep(kind, {.session = "s1", .listener = "smtp", .client = "192.0.2.7"}, "", line);
  }
  // What a subscriber since that cursor is told, with " | " between lines.
  std::string told(std::string_view since, const char* filter = "{}") {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const sys::Fd client(ends[0]);
    Subscriber subscriber(base.get(), sys::Fd(ends[1]), TraceRing::kMaxQueued);
    const auto place = ring.ask(since, now);
    if (!place) return "no cursor";
    ring.tell_from(*place, *TraceFilter::parse(nlohmann::json::parse(filter)), subscriber);
    std::string text;
    std::array<char, 65536> piece;
    do {
      subscriber.flush();
      const ssize_t got = recv(client.get(), piece.data(), piece.size(), MSG_DONTWAIT);
      if (got <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(got));
    } while (true);
    if (text.ends_with('\n')) text.pop_back();
    for (std::size_t at; (at = text.find('\n')) != std::string::npos;) text.replace(at, 1, " | ");
    return text;
  }

  EventBase base{event_base_new()};
  TraceRing ring{"w1"};
  Clock::time_point now = Clock::now();
};

}  // namespace

TEST_CASE("nothing is kept before somebody asks, nor an hour after the last one did") {
  Stage stage;
  CHECK_FALSE(stage.ring.keeps());
  CHECK(stage.told("") == R"({"ok":true,"cursor":"w1-0","missed":0})");
  CHECK(stage.ring.keeps());
  stage.keep("one");
  stage.now += TraceRing::kForgetsAfter - 1s;
  stage.ring.end_of_turn(stage.now);
  CHECK(stage.told("w1-0") == R"({"ok":true,"cursor":"w1-0","missed":0} | one)");
  stage.now += TraceRing::kForgetsAfter - 1s;
  stage.ring.end_of_turn(stage.now);
  CHECK(stage.ring.keeps());
  stage.now += 1s;
  stage.ring.end_of_turn(stage.now);
  CHECK_FALSE(stage.ring.keeps());
  CHECK(stage.told("w1-0") == R"({"ok":true,"cursor":"w1-1","missed":1})");
}

TEST_CASE("what was kept since the cursor is told in order, as far as the filter wants it") {
  Stage stage;
  stage.told("");
  stage.keep("one");
  stage.keep("two", TraceKind::kServer);
  stage.keep("three");
  CHECK(stage.told("w1-1") == R"({"ok":true,"cursor":"w1-1","missed":0} | two | three)");
  CHECK(stage.told("w1-3") == R"({"ok":true,"cursor":"w1-3","missed":0})");
  CHECK(stage.told("w1-0", R"({"what":["client"]})") == R"({"ok":true,"cursor":"w1-0","missed":0} | one | three)");
  CHECK(stage.told("w1-0", R"({"client":"192.0.2.8"})") == R"({"ok":true,"cursor":"w1-0","missed":0})");
}

TEST_CASE("of more than there is room for the newest is kept, and what is missed is counted") {
  Stage stage;
  stage.told("");
  const std::string large(100'000, 'x');
  for (int i = 0; i < 100; ++i) stage.keep(large);
  stage.keep("last");
  const std::string text = stage.told("w1-0");
  CHECK(text.ends_with(" | last"));
  CHECK(text.size() > TraceRing::kMaxOctets * 9 / 10);
  CHECK(text.size() <= TraceRing::kMaxOctets + 100);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '|'));
  CHECK(text.starts_with(fmt::format(R"({{"ok":true,"cursor":"w1-{0}","missed":{0}}})", 101 - lines)));
}

TEST_CASE("a cursor of another worker is told everything, and what is no cursor nothing") {
  Stage stage;
  stage.told("");
  stage.keep("one");
  CHECK(stage.told("w0-17") == R"({"ok":true,"cursor":"w1-0","missed":0} | one)");
  for (const char* none : {"w1-2", "yesterday", "w1-", "w1-x", "w1-1x", "-"}) CHECK(stage.told(none) == "no cursor");
  CHECK(to_cursor("w1", 7) == "w1-7");
  CHECK(place_of("w1-7", "w1", 7) == 7);
}
