#include "daemon/worker/dialogue.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

using namespace hooksmtpd;
using namespace std::chrono_literals;
using nlohmann::json;
using worker::Dialogue;

TEST_CASE("a dialogue is an array from the beginning") { CHECK(Dialogue().json() == "[]"); }

TEST_CASE("each line of a reply is an entry, and so is each line and message of the client") {
  Dialogue dialogue;
  dialogue.server(412us, "250-mail.test\r\n250 SIZE 0\r\n");
  dialogue.client(12ms, "MAIL FROM:<a@b.test>");
  dialogue.client_octets(1500us, 1834);
  dialogue.tls(2s, "TLSv1.3", "TLS_AES_256_GCM_SHA384");
  CHECK(dialogue.json() ==
        R"([{"ms":0.412,"from":"server","line":"250-mail.test"},)"
        R"({"ms":0.412,"from":"server","line":"250 SIZE 0"},)"
        R"({"ms":12,"from":"client","line":"MAIL FROM:<a@b.test>"},)"
        R"({"ms":1.5,"from":"client","octets":1834},)"
        R"({"ms":2000,"from":"daemon","what":"tls","version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"}])");
}

TEST_CASE("what a hook said is an entry: its action, or why there is none") {
  Dialogue dialogue;
  const mail::Verdict verdict{
      .action = mail::Action::kReject, .code = 550, .enhanced = "5.1.1", .text = {"no", "such user"}};
  dialogue.hook(
      15200us,
      {.hook = "policy", .instance = 2, .event = hook::Event::kValidateRecipient, .verdict = &verdict, .took = 3200us});
  const mail::Verdict accepted;
  dialogue.hook(16ms, {.hook = "b", .event = hook::Event::kDeliver, .verdict = &accepted, .took = 1ms});
  dialogue.hook(17ms, {.hook = "c", .event = hook::Event::kDeliver, .failure = "it ended", .took = 40us});
  CHECK(dialogue.json() ==
        R"([{"ms":15.2,"from":"hook","hook":"policy","instance":2,"event":"validate_recipient","action":"reject",)"
        R"("code":550,"text":"no\nsuch user","took_ms":3.2},)"
        R"({"ms":16,"from":"hook","hook":"b","instance":1,"event":"deliver","action":"accept","took_ms":1},)"
        R"({"ms":17,"from":"hook","hook":"c","instance":1,"event":"deliver","failed":"it ended","took_ms":0.04}])");
}

TEST_CASE("octets that are not UTF-8 have a twin") {
  Dialogue dialogue;
  dialogue.client(0ms, "MAIL FROM:<\xfc>");
  CHECK(dialogue.json() ==
        R"([{"ms":0,"from":"client","line_b64":"TUFJTCBGUk9NOjz8Pg==","line":"MAIL FROM:<\ufffd>"}])");
}

TEST_CASE("a challenge of AUTH is not told (RFC 4954 §4)") {
  Dialogue dialogue;
  dialogue.server(1ms, "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+\r\n");
  dialogue.server(2ms, "334 \r\n");
  CHECK(json::parse(dialogue.json())[0]["line"] == "334 ***");
  CHECK(json::parse(dialogue.json())[1]["line"] == "334 ***");
}

TEST_CASE("what a hook wrote about a login is not told, only what came of it") {
  Dialogue dialogue;
  const mail::Verdict verdict{
      .action = mail::Action::kReject, .code = 535, .enhanced = "", .text = {"not her password: s3cret"}};
  dialogue.hook(1ms, {.hook = "judge", .event = hook::Event::kAuth, .verdict = &verdict, .took = 1ms});
  CHECK(
      dialogue.json() ==
      R"([{"ms":1,"from":"hook","hook":"judge","instance":1,"event":"auth","action":"reject","code":535,"took_ms":1}])");
}

TEST_CASE("a dialogue that grows too long says so and ends there") {
  const std::string line(1000, 'x');
  Dialogue dialogue;
  for (int i = 0; i < 1000; ++i) dialogue.client(1ms, line);
  dialogue.client(1ms, "short");
  CHECK(dialogue.json().size() <= Dialogue::kMaxOctets);
  CHECK(dialogue.json().size() > Dialogue::kMaxOctets - 2000);
  const json all = json::parse(dialogue.json());
  CHECK(all.back() == json{{"from", "daemon"}, {"what", "truncated"}});
  CHECK(all[all.size() - 2]["line"] == line);

  Dialogue at_once;
  at_once.client(1ms, std::string(Dialogue::kMaxOctets, 'x'));
  CHECK(at_once.json() == R"([{"from":"daemon","what":"truncated"}])");
}
