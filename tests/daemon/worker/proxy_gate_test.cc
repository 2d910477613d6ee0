// ProxyGate with a proxy that the test plays at the other end of a socket pair.

#include "daemon/worker/proxy_gate.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

#include "daemon/sys/pair.h"

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
using std::chrono::milliseconds;

namespace {

struct Stage {
  Stage() {
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
    ours.reset(fds[0]);
    proxy.reset(fds[1]);
    fcntl(log_pipe.read.get(), F_SETFL, O_NONBLOCK);
  }

  void come(milliseconds limit = std::chrono::seconds(10)) {
    gate.wait({.socket = std::move(ours), .listener = nullptr, .address = "10.0.0.1", .port = 7}, limit);
  }
  void say(std::string_view bytes) {
    REQUIRE(write(proxy.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    turn();
  }
  void turn(int flags = EVLOOP_NONBLOCK) { event_base_loop(base.get(), EVLOOP_ONCE | flags); }
  std::string logged() {
    log.flush();
    std::array<char, 4096> buffer;
    const ssize_t got = read(log_pipe.read.get(), buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
  }
  // What the client's socket has behind the header.
  std::string rest() {
    std::array<char, 4096> buffer;
    const ssize_t got = recv(admitted.at(0).socket.get(), buffer.data(), buffer.size(), 0);
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
  }

  EventBase base{event_base_new()};
  sys::Pipe log_pipe = sys::make_pipe();
  sys::Log log = sys::Log::to_pipe(std::move(log_pipe.write));
  std::vector<Arrival> admitted;
  ProxyGate gate{base.get(), log, [this](Arrival arrival) { admitted.push_back(std::move(arrival)); }};
  sys::Fd ours, proxy;
};

constexpr std::string_view kHeader = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n";

}  // namespace

TEST_CASE("a client is who the header says, and not an octet behind the header is taken") {
  Stage stage;
  stage.come();
  stage.say(std::string(kHeader) + "EHLO client.test\r\n");
  REQUIRE(stage.admitted.size() == 1);
  CHECK(stage.admitted[0].address == "192.0.2.7");
  CHECK(stage.admitted[0].port == 4711);
  CHECK(stage.admitted[0].proxy == "10.0.0.1");
  CHECK(stage.rest() == "EHLO client.test\r\n");
  CHECK(stage.gate.waiting() == 0);
}

TEST_CASE("a header may come octet by octet, and wakes us once for each") {
  Stage stage;
  stage.come();
  for (const char octet : kHeader.substr(0, kHeader.size() - 1)) {
    stage.say({&octet, 1});
    CHECK(stage.admitted.empty());
  }
  stage.say("\nE");
  REQUIRE(stage.admitted.size() == 1);
  CHECK(stage.admitted[0].address == "192.0.2.7");
  CHECK(stage.rest() == "E");
}

TEST_CASE("version 2 and its LOCAL, after which the connection's own address holds") {
  Stage stage;
  stage.come();
  stage.say(std::string_view("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00x", 17));
  REQUIRE(stage.admitted.size() == 1);
  CHECK(stage.admitted[0].address == "10.0.0.1");
  CHECK(stage.admitted[0].proxy.empty());
  CHECK(stage.rest() == "x");
}

TEST_CASE("whatever is no header is turned away, with a line in the log and without a reply") {
  Stage stage;
  stage.come();
  stage.say("EHLO client.test\r\n");
  CHECK(stage.admitted.empty());
  CHECK(stage.gate.waiting() == 0);
  CHECK(stage.logged() ==
        "<6>proxy client=10.0.0.1 failed reason=\"no PROXY header\" got=\"EHLO client.test\\r\\n\"\n");
  char byte;
  CHECK(recv(stage.proxy.get(), &byte, 1, 0) <= 0);
}

TEST_CASE("a header has its time") {
  Stage stage;
  stage.come(milliseconds(1));
  stage.say("PROXY ");
  while (stage.gate.waiting() > 0) stage.turn(0);
  CHECK(stage.logged().find("no PROXY header in time") != std::string::npos);
}

TEST_CASE("a header without an end costs 4 KiB at most") {
  Stage stage;
  stage.come();
  stage.say(std::string_view("\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", 16));
  for (int i = 0; i < 100 && stage.gate.waiting() > 0; ++i) stage.say(std::string(100, 'x'));
  CHECK(stage.gate.waiting() == 0);
  CHECK(stage.admitted.empty());
}

TEST_CASE("a health check that connects and goes is not worth a line") {
  Stage stage;
  stage.come();
  stage.proxy.reset();
  stage.turn();
  CHECK(stage.gate.waiting() == 0);
  CHECK(stage.logged().empty());
}
