#include "proto/hook/channel.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <tuple>

namespace hooksmtpd::hook {
namespace {

using namespace std::chrono_literals;

const Channel::TimePoint kStart{};

std::string describe(const outcome::Ready& ready) { return fmt::format("ready {}", ready.id); }
std::string describe(const outcome::Answer& answer) {
  return fmt::format("{} {}", to_string(answer.verdict.action), answer.id);
}
std::string describe(const outcome::Failure& failure) {
  return fmt::format("failed {}: {}", failure.id, failure.reason);
}
std::string describe(const outcome::Notice& notice) { return "notice: " + notice.text; }
std::string describe(const outcome::Broken& broken) { return "broken: " + broken.reason; }

// A hook that has said hello, in a conversation that reads like one.
struct Conversation {
  Channel channel;

  explicit Conversation(std::string_view hello = "ok") {
    ask(1, Event::kHello);
    CHECK(hear(hello) == "ready 1");
  }
  void ask(RequestId id, Event event = Event::kValidateRecipient, std::chrono::milliseconds limit = 10s) {
    channel.sent(id, event, kStart + limit);
  }
  std::string outcomes() {
    std::string text;
    while (const auto outcome = channel.next()) {
      text.append(text.empty() ? "" : " | ").append(std::visit([](const auto& it) { return describe(it); }, *outcome));
    }
    return text;
  }
  std::string hear_bytes(std::string_view bytes) {
    channel.received(bytes);
    return outcomes();
  }
  std::string hear(std::string_view line) { return hear_bytes(std::string(line) + "\n"); }
  std::string wait(std::chrono::milliseconds time) {
    channel.expire(kStart + time);
    return outcomes();
  }
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TEST_CASE("a serial hook is asked one request at a time") {
  Conversation talk;
  CHECK(talk.channel.room() == 1);
  talk.ask(2);
  CHECK(talk.channel.room() == 0);
  CHECK(talk.hear("ok") == "accept 2");
  CHECK(talk.channel.room() == 1);
  talk.ask(3);
  CHECK(talk.hear("reject") == "reject 3");
  talk.ask(4);
  CHECK(talk.hear(R"({"id":4,"action":"defer"})") == "defer 4");
}

TEST_CASE("a reply may come in any pieces; only the line feed ends it") {
  Conversation talk;
  talk.ask(2);
  for (const char c : std::string_view("reject 550 no")) CHECK(talk.hear_bytes({&c, 1}) == "");
  CHECK(talk.hear_bytes("\r\n") == "reject 2");
}

TEST_CASE("the line of an outcome can be had as the hook wrote it") {
  Conversation talk(R"({"concurrency":2})");
  talk.ask(2);
  talk.ask(3);
  talk.channel.received("{\"id\":3,\"action\":\"accept\"}\r\nhello?\n{\"id\":2,\"act");
  CHECK(talk.channel.next());
  CHECK(talk.channel.last_line() == "{\"id\":3,\"action\":\"accept\"}\r");
  CHECK(talk.channel.next());
  CHECK(talk.channel.last_line() == "hello?");
  CHECK(!talk.channel.next());
  CHECK(has(talk.wait(20s), "failed 2"));
  CHECK(talk.channel.last_line().empty());
}

TEST_CASE("a reply that nobody asked for breaks the channel") {
  Conversation talk;
  talk.ask(2);
  CHECK(has(talk.hear_bytes("ok\nok\n"), "accept 2 | broken: it wrote a reply that nobody had asked for"));
  CHECK(talk.channel.broken());
  CHECK(talk.channel.room() == 0);
  CHECK(talk.hear("ok") == "");
}

TEST_CASE("what was there before a request is no answer to it") {
  Conversation talk;
  talk.ask(2);
  talk.channel.received("ok\nok\n");
  REQUIRE(std::holds_alternative<outcome::Answer>(*talk.channel.next()));
  talk.ask(3, Event::kDeliver);  // while the surplus line is still unread
  CHECK(has(talk.outcomes(), "failed 3: it wrote a reply that nobody had asked for"));
}

TEST_CASE("what was begun before a request is no answer to it") {
  Conversation talk;
  CHECK(talk.hear_bytes("o") == "");
  talk.ask(2);
  CHECK(has(talk.hear_bytes("k\n"), "failed 2: it wrote a reply that nobody had asked for"));
}

TEST_CASE("the wrong id fails the request, not the hook") {
  Conversation talk;
  talk.ask(2);
  CHECK(talk.hear(R"({"id":3,"action":"accept"})") == "failed 2: it answered request 3 instead of 2");
  talk.ask(4);
  CHECK(talk.hear("ok") == "accept 4");
  talk.ask(5);
  CHECK(talk.hear("reject 250 fine") == "failed 5: code 250 contradicts reject, which takes 500 to 559");
  CHECK(talk.channel.room() == 1);
}

TEST_CASE("stray lines are skipped, 100 of them are too many") {
  Conversation talk;
  for (int round = 0; round < 2; ++round) {
    talk.ask(2);
    for (int i = 0; i < 99; ++i) CHECK(has(talk.hear("checking bob"), "notice: stray line on stdout"));
    CHECK(talk.hear("ok") == "accept 2");
  }
  talk.ask(3);
  for (int i = 0; i < 99; ++i) talk.hear("checking bob");
  const std::string last = talk.hear("checking bob");
  CHECK(has(last, "failed 3: it wrote 100 lines that are no replies: messages belong on stderr"));
  CHECK(has(last, "broken: it wrote 100 lines"));
}

TEST_CASE("what a hook writes by mistake is quoted, but not once it was asked about a password") {
  Conversation talk;
  talk.ask(2);
  CHECK(has(talk.hear("checking bob"), "belong on stderr: \"checking bob\""));
  talk.hear("ok");
  talk.ask(3, Event::kAuth);
  CHECK(talk.hear("{'password': 'hunter2'}").ends_with("use json.dumps()"));
  CHECK(talk.hear("ok") == "accept 3");
  CHECK_FALSE(has(talk.hear("that was hunter2"), "hunter2"));
  talk.ask(4);
  talk.hear_bytes("hunter2");
  CHECK(has(talk.wait(10s), "in time; it wrote what is not shown without a line feed"));

  Conversation endless;
  endless.ask(2, Event::kAuth);
  CHECK(has(endless.hear_bytes(std::string(kMaxReply, 'x')), "octets, beginning what is not shown"));
}

TEST_CASE("a hook may speak before it was asked for hello, as long as it is no reply") {
  Conversation talk;
  CHECK(has(talk.hear("policy 2.1 starting"), "notice: stray"));
  talk.ask(2);
  CHECK(talk.hear("ok") == "accept 2");
}

TEST_CASE("an endless line is cut short") {
  Conversation talk;
  talk.ask(2);
  CHECK(talk.hear_bytes(std::string(kMaxReply - 1, 'x')) == "");
  CHECK(has(talk.hear_bytes("x"), "broken: it wrote a line of more than 65536 octets, beginning \"xxx"));
  Conversation other;
  other.ask(2);
  CHECK(other.hear("reject " + std::string(kMaxReply - 8, 'x')) == "reject 2");
  other.ask(3);
  CHECK(has(other.hear("reject " + std::string(kMaxReply - 7, 'x')), "failed 3: it wrote a line of more than"));
}

TEST_CASE("a serial hook that overran must go: a late answer could be taken for the next one") {
  Conversation talk;
  CHECK(!talk.channel.next_deadline());
  talk.ask(2, Event::kDeliver, 60s);
  CHECK(talk.channel.next_deadline() == kStart + 60s);
  CHECK(talk.wait(59999ms) == "");
  CHECK(talk.wait(60s) == "failed 2: it did not answer deliver in time | broken: it did not answer deliver in time");
  CHECK(!talk.channel.next_deadline());
}

TEST_CASE("silence after hello is explained") {
  Channel channel;
  channel.sent(1, Event::kHello, kStart + 10s);
  channel.expire(kStart + 10s);
  const auto failure = std::get<outcome::Failure>(*channel.next());
  CHECK(has(failure.reason, "Python print(..., flush=True)"));
  CHECK(has(failure.reason, "jq --unbuffered"));
}

TEST_CASE("a reply without a line feed is told from silence") {
  Conversation talk;
  talk.ask(2);
  talk.hear_bytes("ok");
  CHECK(
      has(talk.wait(10s), "broken: it did not answer validate_recipient in time; it wrote \"ok\" without a line feed"));
}

TEST_CASE("a hook with concurrency answers in any order") {
  Conversation talk(R"({"id":1,"concurrency":3})");
  CHECK(talk.channel.room() == 3);
  for (RequestId id = 2; id < 5; ++id) talk.ask(id);
  CHECK(talk.channel.room() == 0);
  CHECK(talk.hear_bytes("{\"id\":4,\"action\":\"reject\"}\n{\"id\":2,\"action\":\"accept\"}\n") ==
        "reject 4 | accept 2");
  CHECK(talk.channel.room() == 2);
  CHECK(talk.hear(R"({"id":4,"action":"reject"})") == "notice: it answered request 4, which nobody asks; ignored");
  CHECK(talk.hear(R"({"id":3,"action":"close"})") == "close 3");
}

TEST_CASE("with concurrency a reply without an id fails what it can be about") {
  Conversation talk(R"({"concurrency":2})");
  talk.ask(2);
  CHECK(has(talk.hear("ok"), "failed 2: it answered without an \"id\""));
  CHECK(!talk.channel.broken());
  talk.ask(3);
  talk.ask(4);
  CHECK(has(talk.hear("ok"),
            "failed 3: it answered without an \"id\", which a hook with \"concurrency\" has to repeat | failed 4: "));
  CHECK(talk.channel.broken());
}

TEST_CASE("with concurrency a late answer is dropped, and three overruns in a row are too many") {
  Conversation talk(R"({"concurrency":8})");
  talk.ask(2, Event::kDeliver, 1s);
  talk.ask(3, Event::kDeliver, 2s);
  CHECK(talk.channel.next_deadline() == kStart + 1s);
  CHECK(talk.wait(1s) == "failed 2: it did not answer deliver in time");
  CHECK(talk.channel.room() == 6);  // the hook still works on it
  CHECK(talk.hear(R"({"id":2,"action":"accept"})") == "notice: it answered request 2 after the time limit; ignored");
  CHECK(talk.channel.room() == 7);
  CHECK(talk.wait(2s) == "failed 3: it did not answer deliver in time");
  talk.ask(4);
  CHECK(talk.hear(R"({"id":4,"action":"accept"})") == "accept 4");  // in time: counts anew
  for (RequestId id = 5; id < 8; ++id) talk.ask(id, Event::kDeliver, 3s);
  talk.ask(8, Event::kDeliver, 4s);
  const std::string end = talk.wait(3s);
  CHECK(has(end, "failed 5: it did not answer deliver in time | failed 6: "));
  CHECK(has(end, "failed 8: it did not answer 4 requests in time | broken: "));
}

TEST_CASE("a hook that lost as many requests as it takes at once must go") {
  Conversation talk(R"({"concurrency":2})");
  talk.ask(2, Event::kDeliver, 1s);
  CHECK(!has(talk.wait(1s), "broken"));
  talk.ask(3);
  CHECK(talk.hear(R"({"id":3,"action":"accept"})") == "accept 3");
  talk.ask(4, Event::kDeliver, 2s);
  CHECK(has(talk.wait(2s), "broken"));
}

TEST_CASE("when the process ends, all that was out fails, once") {
  Conversation talk(R"({"concurrency":4})");
  talk.ask(2);
  talk.ask(3);
  talk.channel.fail("it ended with status 1");
  CHECK(talk.outcomes() ==
        "failed 2: it ended with status 1 | failed 3: it ended with status 1 | broken: it ended with status 1");
  talk.channel.fail("again");
  CHECK(talk.outcomes() == "");
}

TEST_CASE("an answer that was read before the end still counts") {
  Conversation talk;
  talk.ask(2);
  talk.channel.received("ok\n");
  CHECK(talk.outcomes() == "accept 2");
  talk.channel.fail("it ended");
  CHECK(talk.outcomes() == "broken: it ended");
}

TEST_CASE("an unknown key is noted once") {
  Conversation talk;
  talk.ask(2);
  CHECK(talk.hear(R"({"action":"accept","tags":[]})") == "notice: unknown key \"tags\" in a reply; ignored | accept 2");
  talk.ask(3);
  CHECK(talk.hear(R"({"action":"accept","tags":[]})") == "accept 3");
}

TEST_CASE("what a hook did not declare it may not modify") {
  const std::string rewrite = R"({"id":2,"action":"accept","rewrite":"c@d.example"})";
  const std::string add = R"({"id":2,"action":"accept","add_headers":[["X-A","b"]]})";
  Conversation silent;
  for (const auto& [event, line, reason] : {
           std::tuple{Event::kValidateSender, rewrite, R"(needs "modifies":["sender"])"},
           std::tuple{Event::kValidateRecipient, rewrite, R"(needs "modifies":["recipient"])"},
           std::tuple{Event::kDeliver, add, R"(needs "modifies":["headers"])"},
           std::tuple{Event::kDeliver, rewrite,
                      "goes with validate_sender and validate_recipient only, not with deliver"},
           std::tuple{Event::kHelo, add, "has no message to go to with helo"},
       }) {
    silent.ask(2, event);
    const std::string outcome = silent.hear(line);
    CAPTURE(outcome);
    CHECK(outcome.starts_with("failed 2: "));
    CHECK(outcome.ends_with(reason));
  }
  Conversation talk(R"({"modifies":["sender","recipient","headers"]})");
  for (const Event event : {Event::kValidateSender, Event::kValidateRecipient}) {
    talk.ask(2, event);
    CHECK(talk.hear(rewrite) == "accept 2");
  }
  for (const Event event :
       {Event::kValidateSender, Event::kValidateRecipient, Event::kData, Event::kDeliver, Event::kDeliverMime}) {
    talk.ask(2, event);
    CHECK(talk.hear(add) == "accept 2");
  }
  talk.ask(2, Event::kValidateSender);
  CHECK(talk.hear(R"({"action":"accept","rewrite":""})") == "accept 2");
  talk.ask(2, Event::kValidateRecipient);
  CHECK(talk.hear(R"({"action":"accept","rewrite":""})") == "failed 2: \"rewrite\" of a recipient must be an address");
}

TEST_CASE("a modification of what nobody can modify any more is left out") {
  Conversation talk;
  for (const Event event : {Event::kReset, Event::kDisconnect, Event::kCancel}) {
    talk.ask(2, event);
    talk.channel.received(R"({"action":"accept","rewrite":"a@b.example","add_headers":[["X","y"]]})"
                          "\n");
    const auto answer = std::get<outcome::Answer>(*talk.channel.next());
    CHECK(answer.verdict == mail::Verdict());
  }
}

TEST_CASE("notes and trees come with the answer") {
  Conversation talk;
  talk.ask(2);
  talk.channel.received("{\"action\":\"accept\", \"notes\":{ \"\u00fc\" : [1, 2] }}\n");
  CHECK(std::get<outcome::Answer>(*talk.channel.next()).notes == R"({"\u00fc":[1,2]})");
  talk.ask(3);
  talk.channel.received("ok\n");
  CHECK(std::get<outcome::Answer>(*talk.channel.next()).notes == std::nullopt);

  Channel mime(Speaker::kMimeHook);
  mime.sent(1, Event::kHello, kStart);
  mime.received("ok\n");
  mime.next();
  mime.sent(2, Event::kDeliverMime, kStart);
  const std::string tree = "{\"text\":\"" + std::string(1000 * 1000, 'x') + "\"}";
  mime.received("{\"action\":\"accept\",\"mime\":" + tree + "}\n");
  CHECK(std::get<outcome::Answer>(*mime.next()).mime == tree);
  mime.sent(3, Event::kDeliverMime, kStart);
  mime.received(std::string(kMaxMimeReply, ' '));
  CHECK(has(std::get<outcome::Failure>(*mime.next()).reason, "a line of more than 1048576 octets"));
}

TEST_CASE("hello can fail, or be declined") {
  Channel channel;
  channel.sent(1, Event::kHello, kStart);
  channel.received("{\"id\":1,\"ready\":false,\"text\":\"no users.db\"}\n");
  const auto ready = std::get<outcome::Ready>(*channel.next());
  CHECK(!ready.reply.ready);
  CHECK(ready.reply.text == "no users.db");

  Channel cat;
  cat.sent(1, Event::kHello, kStart);
  cat.received("{\"v\":1,\"id\":1,\"event\":\"hello\",\"options\":{}}\n");
  CHECK(std::get<outcome::Failure>(*cat.next()).reason == "it gives the request back instead of a reply");
}

}  // namespace
}  // namespace hooksmtpd::hook
