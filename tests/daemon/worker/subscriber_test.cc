#include "daemon/worker/subscriber.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/sys/pair.h"

using namespace hooksmtpd;
using nlohmann::json;
using worker::EventBase;
using worker::Subscriber;

namespace {

constexpr std::size_t kQueue = 64 * 1024;

struct Stage {
  Stage() {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    client.reset(ends[0]);
    subscriber.emplace(base.get(), sys::Fd(ends[1]), kQueue);
  }

  void turn() {
    event_base_loop(base.get(), EVLOOP_NONBLOCK);
    subscriber->flush();
  }
  // All that has arrived, until nothing more comes.
  std::vector<std::string> read_all() {
    std::string text;
    while (true) {
      std::array<char, 16384> piece;
      const ssize_t got = recv(client.get(), piece.data(), piece.size(), MSG_DONTWAIT);
      if (got <= 0) break;
      text.append(piece.data(), static_cast<std::size_t>(got));
      turn();
    }
    std::vector<std::string> lines;
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      lines.push_back(text.substr(0, end));
    }
    CHECK(text.empty());
    return lines;
  }

  EventBase base{event_base_new()};
  sys::Fd client;
  std::optional<Subscriber> subscriber;
};

}  // namespace

TEST_CASE("lines arrive in order") {
  Stage stage;
  stage.subscriber->tell("{\"a\":1}");
  stage.subscriber->tell("{\"a\":2}");
  stage.turn();
  CHECK(stage.read_all() == std::vector<std::string>{"{\"a\":1}", "{\"a\":2}"});
}

TEST_CASE("who does not read loses lines, and is told how many in the place where they would have stood") {
  Stage stage;
  const std::string line = json{{"padding", std::string(1000, 'x')}}.dump();
  int told = 0;
  for (; told < 5000; ++told) {
    stage.subscriber->tell(line);
    stage.subscriber->flush();
  }
  const auto read = stage.read_all();
  CHECK(read.size() < 5000);
  const json last = json::parse(read.back());
  CHECK(last["what"] == "dropped");
  CHECK(last["from"] == "daemon");
  CHECK(last["count"] == told - static_cast<int>(read.size()) + 1);
  stage.subscriber->tell("{\"after\":1}");
  stage.turn();
  CHECK(stage.read_all() == std::vector<std::string>{"{\"after\":1}"});
}

TEST_CASE("a slow reader never has more than the queue waiting, however long it takes") {
  Stage stage;
  const std::string line(10'000, 'x');
  for (int i = 0; i < 2000; ++i) {
    stage.subscriber->tell(line);
    stage.subscriber->flush();
    std::array<char, 5000> piece;  // half as fast as we tell
    CHECK(recv(stage.client.get(), piece.data(), piece.size(), MSG_DONTWAIT) > 0);
  }
  std::size_t lines = 0;
  for (const std::string& one : stage.read_all()) lines += one.ends_with("xxx");
  CHECK(lines * line.size() < 4 * kQueue + 1024 * 1024);  // the kernel has a buffer, too
}

TEST_CASE("a line that is longer than the queue goes into an empty one") {
  Stage stage;
  const std::string line(3 * kQueue, 'x');
  stage.subscriber->tell(line);
  stage.subscriber->tell("{}");
  stage.turn();
  const auto read = stage.read_all();
  REQUIRE(!read.empty());
  CHECK(read[0] == line);
}

TEST_CASE("one that has hung up is gone, also while nobody tells it anything") {
  Stage stage;
  CHECK(!stage.subscriber->gone());
  stage.client.reset();
  stage.turn();
  CHECK(stage.subscriber->gone());
  stage.subscriber->tell("{}");
  stage.subscriber->flush();
}

TEST_CASE("what it says is not listened to") {
  Stage stage;
  REQUIRE(send(stage.client.get(), "hello\n", 6, 0) == 6);
  stage.turn();
  CHECK(!stage.subscriber->gone());
}

TEST_CASE("one that is told a last word is gone when it was sent") {
  Stage stage;
  stage.subscriber->tell("{\"ok\":false}");
  stage.subscriber->close_when_told();
  stage.subscriber->tell("more");
  CHECK(!stage.subscriber->gone());
  stage.turn();
  CHECK(stage.subscriber->gone());
  CHECK(stage.read_all() == std::vector<std::string>{"{\"ok\":false}"});
}
