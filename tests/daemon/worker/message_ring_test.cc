#include "daemon/worker/message_ring.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <nlohmann/json.hpp>

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
using nlohmann::json;

namespace {

struct Stage {
  Stage() = default;

  sys::Fd subscribe(std::string_view since) {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    ring.subscribe(std::make_unique<Subscriber>(base.get(), sys::Fd(ends[1]), MessageRing::kMaxQueued), since);
    ring.end_of_turn();
    return sys::Fd(ends[0]);
  }
  std::vector<json> read(const sys::Fd& client) {
    std::string text;
    std::array<char, 65536> piece;
    for (ssize_t got; (got = recv(client.get(), piece.data(), piece.size(), MSG_DONTWAIT)) > 0;) {
      text.append(piece.data(), static_cast<std::size_t>(got));
      ring.end_of_turn();
    }
    std::vector<json> lines;
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      lines.push_back(json::parse(text.substr(0, end)));
    }
    return lines;
  }
  void accept(std::size_t count = 1, std::size_t recipients = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      mail::Envelope envelope{.reverse_path = mail::Mailbox{"ann", "client.test"}, .params = {}, .recipients = {}};
      for (std::size_t n = 0; n < recipients; ++n) {
        envelope.recipients.push_back({.mailbox = {fmt::format("bob{}", n), "dev.test"}, .params = {}});
      }
      ring.accepted({.transaction = fmt::format("s-{}", ++transactions),
                     .session = "s",
                     .listener = "smtp",
                     .client = "192.0.2.7",
                     .user = {},
                     .envelope = envelope,
                     .size = 100,
                     .subject = "hello"});
    }
    ring.end_of_turn();
  }

  EventBase base{event_base_new()};
  MessageRing ring{"w1"};
  std::size_t transactions = 0;
};

}  // namespace

TEST_CASE("a subscriber without a cursor hears of what comes from now on") {
  Stage stage;
  stage.accept();
  const sys::Fd client = stage.subscribe("");
  stage.accept();
  const auto lines = stage.read(client);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == json{{"ok", true}, {"cursor", "w1-1"}, {"missed", 0}});
  CHECK(lines[1]["cursor"] == "w1-2");
  CHECK(lines[1]["transaction"] == "s-2");
  CHECK(lines[1]["from"] == "ann@client.test");
  CHECK(lines[1]["to"] == json{"bob0@dev.test"});
  CHECK(lines[1]["subject"] == "hello");
  CHECK(lines[1]["time"].get<std::string>().ends_with("Z"));
}

TEST_CASE("a cursor is a place between two messages: what came behind it is told first, oldest first") {
  Stage stage;
  stage.accept(2);
  const std::string cursor = stage.ring.cursor();
  stage.accept(3);
  const auto lines = stage.read(stage.subscribe(cursor));
  REQUIRE(lines.size() == 4);
  CHECK(lines[0]["cursor"] == "w1-2");
  CHECK(lines[1]["transaction"] == "s-3");
  CHECK(lines[3]["cursor"] == stage.ring.cursor());
}

TEST_CASE("what is forgotten is counted") {
  Stage stage;
  stage.accept(MessageRing::kMaxKept + 20);
  const auto lines = stage.read(stage.subscribe("w1-5"));
  CHECK(lines.size() == MessageRing::kMaxKept + 1);
  CHECK(lines[0] == json{{"ok", true}, {"cursor", "w1-20"}, {"missed", 15}});
  CHECK(lines[1]["cursor"] == "w1-21");
}

TEST_CASE("messages with many recipients are not kept beyond the ring's octets") {
  Stage stage;
  stage.accept(500, 1000);
  const auto lines = stage.read(stage.subscribe("w1-0"));
  CHECK(lines.size() < 400);
  CHECK(lines[0]["missed"] == 500 - (lines.size() - 1));
}

TEST_CASE("the cursor of a worker that is gone means: everything") {
  Stage stage;
  stage.accept();
  const auto lines = stage.read(stage.subscribe("w0-17"));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["cursor"] == "w1-0");
}

TEST_CASE("what is no cursor is refused") {
  for (const char* cursor : {"w1-2", "w1", "w1-", "w1-x", "-1x", "w1-18446744073709551616"}) {
    CAPTURE(cursor);
    Stage stage;
    stage.accept();
    const auto lines = stage.read(stage.subscribe(cursor));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["ok"] == false);
  }
}

TEST_CASE("the subject is found in the header, and nowhere else (RFC 5322 §2.2)") {
  struct Case {
    const char *message, *subject;
  };
  for (const auto& [message, subject] : {
           Case{"Received: x\r\nSubject: hello\r\nTo: a\r\n\r\nbody", "hello"},
           {"subject:hello\r\n\r\n", "hello"},
           {"SUBJECT:  two\r\n\r\n", " two"},
           {"Subject: one\r\n\ttwo\r\n three\r\nTo: x\r\n\r\n", "one\r\n\ttwo\r\n three"},
           {"Subject: first\r\nSubject: second\r\n\r\n", "first"},
           {"Subject: at the end", "at the end"},
           {"Subject:\r\n\r\n", ""},
           {"X-Subject: no\r\nTo: x\r\n\r\nSubject: in the body\r\n", ""},
           {"\r\nSubject: in the body\r\n", ""},
           {"Comments: x\r\n Subject: folded\r\n\r\n", ""},
           {"", ""},
       }) {
    CAPTURE(message);
    CHECK(subject_of_message(message) == subject);
  }
  CHECK(subject_of_message("Subject: " + std::string(5000, 'x') + "\r\n\r\n") == std::string(kMaxSubject, 'x'));
}

TEST_CASE("long messages that are forgotten leave no memory behind, whatever comes after them") {
  Stage stage;
  stage.accept(MessageRing::kMaxKept);
  for (int round = 0; round < 12; ++round) {
    stage.accept(4, 20'000);
    stage.accept(MessageRing::kMaxKept);
  }
  CHECK(stage.ring.memory() < 2 * MessageRing::kMaxOctets);
}
