#include "daemon/worker/tracer.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct Stage {
  sys::Fd subscribe(const char* filter = "{}") {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    tracer.subscribe(std::make_unique<Subscriber>(base.get(), sys::Fd(ends[1]), Tracer::kMaxQueued),
                     *TraceFilter::parse(json::parse(filter)));
    return sys::Fd(ends[0]);
  }
  std::string read_text(const sys::Fd& client) {
    std::string text;
    tracer.end_of_turn();
    std::array<char, 65536> piece;
    for (ssize_t got; (got = recv(client.get(), piece.data(), piece.size(), MSG_DONTWAIT)) > 0;) {
      text.append(piece.data(), static_cast<std::size_t>(got));
      tracer.end_of_turn();
    }
    return text;
  }
  std::vector<json> read(const sys::Fd& client) {
    std::string text = read_text(client);
    std::vector<json> lines;
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      lines.push_back(json::parse(text.substr(0, end)));
    }
    return lines;
  }

  EventBase base{event_base_new()};
  Tracer tracer;
  TracedSession session{.subject = {.session = "s1", .listener = "smtp", .client = "192.0.2.7"},
                        .begun = Clock::now() - 5ms};
};

const Tracer::Message kNoMessage = [] { return std::nullopt; };

constexpr const char* kSenderRequest =
    R"({"v":1,"id":3,"event":"validate_sender","session":"s1","transaction":"s1-1","listener":"smtp",)"
    R"("client":{"ip":"192.0.2.7","port":5},"helo":"\"session\":\"forged\"","address":"a@b.test"})"
    "\n";

}  // namespace

TEST_CASE("nobody listens until somebody subscribes, and nobody any more once it has gone") {
  Stage stage;
  CHECK(!stage.tracer.listening());
  {
    const sys::Fd client = stage.subscribe();
    CHECK(stage.tracer.listening());
  }
  event_base_loop(stage.base.get(), EVLOOP_NONBLOCK);
  stage.tracer.end_of_turn();
  CHECK(!stage.tracer.listening());
}

TEST_CASE("a session is told in order, each entry with its session and its time") {
  Stage stage;
  const sys::Fd client = stage.subscribe();
  stage.tracer.begun(stage.session);
  stage.tracer.server(stage.session, "220 mail.test\r\n");
  stage.tracer.client(stage.session, "EHLO x");
  stage.tracer.server(stage.session, "250-mail.test\r\n250 SIZE\r\n");
  stage.tracer.client_octets(stage.session, 17);
  stage.tracer.tls(stage.session, "TLSv1.3", "X");
  stage.tracer.over(stage.session, hook::EndReason::kQuit);
  const auto lines = stage.read(client);
  REQUIRE(lines.size() == 8);
  for (const json& line : lines) {
    CHECK(line["session"] == "s1");
    CHECK(line["listener"] == "smtp");
    CHECK(line["client"] == "192.0.2.7");
    CHECK(line["ms"].get<double>() >= 5);
    CHECK(line["time"].get<std::string>().size() == 24);
  }
  CHECK(lines[0]["what"] == "begin");
  CHECK(lines[1]["line"] == "220 mail.test");
  CHECK(lines[2]["from"] == "client");
  CHECK(lines[4]["line"] == "250 SIZE");
  CHECK(lines[5]["octets"] == 17);
  CHECK(lines[6]["what"] == "tls");
  CHECK(lines[7]["what"] == "end");
  CHECK(lines[7]["reason"] == "quit");
}

TEST_CASE("a request and its reply name the hook, the event and the session, which no client can forge") {
  Stage stage;
  const sys::Fd client = stage.subscribe();
  const TracedRequest request =
      stage.tracer.request({"policy", 2}, hook::Event::kValidateSender, kSenderRequest, kNoMessage);
  CHECK(request.session == "s1");
  const mail::Verdict verdict{.action = mail::Action::kReject, .code = 553, .enhanced = "", .text = {"no"}};
  stage.tracer.reply(
      {.hook = "policy", .instance = 2, .event = hook::Event::kValidateSender, .verdict = &verdict, .took = 3ms}, 3,
      &request, "reject 553 no");
  const auto lines = stage.read(client);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["request"] == json::parse(kSenderRequest));
  CHECK(lines[0]["what"] == "request");
  CHECK(lines[0]["session"] == "s1");
  CHECK(lines[0]["instance"] == 2);
  CHECK(lines[1]["from"] == "hook");
  CHECK(lines[1]["action"] == "reject");
  CHECK(lines[1]["took_ms"] == 3);
  CHECK(lines[1]["id"] == 3);
  CHECK(lines[1]["reply"] == "reject 553 no");
  CHECK(lines[1]["client"] == "192.0.2.7");
}

TEST_CASE("of an auth request only what is harmless is told, and nothing of what the hook wrote") {
  Stage stage;
  const sys::Fd client = stage.subscribe();
  const std::string line =
      R"({"v":1,"id":9,"event":"auth","session":"s1","listener":"smtp","client":{"ip":"192.0.2.7","port":5},)"
      R"("server":{"ip":"192.0.2.1","port":25},"helo":"x","protocol":"ESMTP","mechanism":"PLAIN",)"
      R"("authorization_id":"","password_b64":"czNjcmV0","password":"s3cret","token":"s3cret","challenge":"s3cret",)"
      R"("digest":"s3cret","whatever_comes_later":{"deep":"s3cret"},"user":"ann"})"
      "\n";
  const TracedRequest request = stage.tracer.request({"judge", 1}, hook::Event::kAuth, line, kNoMessage);
  const mail::Verdict verdict{.action = mail::Action::kReject, .code = 0, .enhanced = "", .text = {"s3cret is wrong"}};
  stage.tracer.reply({.hook = "judge", .instance = 1, .event = hook::Event::kAuth, .verdict = &verdict}, 9, &request,
                     "reject s3cret is wrong");
  const std::string text = stage.read_text(client);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(text.find("czNjcmV0") == std::string::npos);
  CHECK(text.find(R"("mechanism":"PLAIN")") != std::string::npos);
  CHECK(text.find(R"("user":"ann")") != std::string::npos);
  CHECK(text.find(R"("reply":"***")") != std::string::npos);
}

TEST_CASE("each subscriber hears of what it asked for") {
  Stage stage;
  const sys::Fd all = stage.subscribe(), other = stage.subscribe(R"({"session":"s2"})"),
                lines = stage.subscribe(R"({"what":["client","server"]})"),
                messages = stage.subscribe(R"({"hook":"store","messages":true})");
  stage.tracer.begun(stage.session);
  stage.tracer.client(stage.session, "NOOP");
  stage.tracer.request({"store", 1}, hook::Event::kDeliver, kSenderRequest, [] { return "octets"; });
  stage.tracer.said_to_stderr({"store", 1}, nullptr, "oops");
  CHECK(stage.read(all).size() == 4);
  CHECK(stage.read(other).empty());
  CHECK(stage.read(lines).size() == 1);
  const auto told = stage.read(messages);
  REQUIRE(told.size() == 3);
  CHECK(told[0]["what"] == "begin");
  CHECK(told[1]["message_b64"] == "b2N0ZXRz");
  CHECK(told[2]["stderr"] == "oops");
}

TEST_CASE("the octets of a message are fetched only for who wants them") {
  Stage stage;
  const sys::Fd client = stage.subscribe();
  stage.tracer.request({"store", 1}, hook::Event::kDeliver, kSenderRequest, []() -> std::optional<std::string> {
    FAIL("nobody wants them");
    return std::nullopt;
  });
  CHECK(!stage.read(client)[0].contains("message_b64"));
}

TEST_CASE("bytes that are not UTF-8, and control bytes, make no line that is not JSON") {
  Stage stage;
  const sys::Fd client = stage.subscribe();
  stage.tracer.client(stage.session, std::string_view("\xff\x1b[2J\0\"\\\n{", 9));
  stage.tracer.said_to_stderr({"x", 1}, nullptr, "\x80\r\x1b]0;title\x07");
  const auto lines = stage.read(client);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].contains("line_b64"));
}
