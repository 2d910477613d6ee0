#include "proto/hook/reply.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "proto/hook/reply_fields.h"
#include "tests/proto/hook/golden.h"

namespace hooksmtpd::hook {
namespace {

using Json = nlohmann::json;

std::string decode_base64(std::string_view text) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<unsigned>(kAlphabet.find(c));
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return bytes;
}

// In the spelling of replies.jsonl.
Json to_json(const mail::Verdict& verdict) {
  Json json{{"action", to_string(verdict.action)}};
  if (verdict.code != 0) json["code"] = verdict.code;
  if (!verdict.enhanced.empty()) json["enhanced"] = verdict.enhanced;
  if (!verdict.text.empty()) json["text"] = verdict.text;
  for (const mail::Verdict& recipient : verdict.recipients) json["recipients"].push_back(to_json(recipient));
  if (verdict.rewrite) json["rewrite"] = to_string(*verdict.rewrite);
  for (const mail::AddedHeader& header : verdict.add_headers) {
    json["add_headers"].push_back(Json::array({header.name, header.value}));
  }
  if (verdict.abrupt) json["abrupt"] = true;
  return json;
}

Json to_json(const std::expected<Reply, ReplyError>& reply) {
  if (!reply) return {{"error", reply.error().kind == ReplyError::kStray ? "stray" : "broken"}};
  Json verdict = to_json(reply->verdict);
  if (reply->id) verdict["id"] = *reply->id;
  if (reply->delay.count() != 0) verdict["delay_ms"] = reply->delay.count();
  if (reply->notes) verdict["notes"] = Json::parse(*reply->notes);
  if (!reply->unknown_keys.empty()) verdict["unknown"] = reply->unknown_keys;
  return {{"verdict", verdict}};
}

TEST_CASE("each golden reply means what it should") {
  for (const std::string& text : golden("replies.jsonl")) {
    const Json row = Json::parse(text);
    const std::string line =
        row.contains("line") ? row["line"].get<std::string>() : decode_base64(row["line_b64"].get<std::string>());
    Json expected = row;
    expected.erase("line");
    expected.erase("line_b64");
    expected.erase("beyond_schema");
    CAPTURE(line);
    CHECK(to_json(parse_reply(line)).dump() == expected.dump());
  }
}

Json to_json(const HelloReply& reply) {
  Json json = Json::object();
  if (reply.id) json["id"] = *reply.id;
  if (!reply.ready) json["ready"] = false;
  if (!reply.text.empty()) json["text"] = reply.text;
  if (reply.concurrency != 1) json["concurrency"] = reply.concurrency;
  if (reply.stores) json["stores"] = true;
  if (!reply.wants_reset) json["decline"].push_back("reset");
  if (!reply.wants_cancel) json["decline"].push_back("cancel");
  if (reply.events) json["events"] = Json::array();
  for (const Event event : reply.events.value_or(std::vector<Event>())) json["events"].push_back(to_string(event));
  if (reply.inline_body) json["body"] = "inline";
  if (reply.dialogue) json["dialogue"] = true;
  if (reply.modifies.sender) json["modifies"].push_back("sender");
  if (reply.modifies.recipient) json["modifies"].push_back("recipient");
  if (reply.modifies.headers) json["modifies"].push_back("headers");
  if (!reply.name.empty()) json["name"] = reply.name;
  if (!reply.version.empty()) json["version"] = reply.version;
  if (!reply.unknown_keys.empty()) json["unknown"] = reply.unknown_keys;
  return json;
}

TEST_CASE("each golden reply to hello means what it should") {
  for (const std::string& text : golden("hello_replies.jsonl")) {
    const Json row = Json::parse(text);
    const auto reply = parse_hello_reply(row["line"].get<std::string>());
    CAPTURE(text);
    if (reply) {
      CHECK(to_json(*reply) == row.value("hello", Json()));
    } else {
      CHECK(row.value("error", "") == (reply.error().kind == ReplyError::kStray ? "stray" : "broken"));
    }
  }
}

TEST_CASE("only the mime hook answers with a tree, which may be deep and comes back as it is") {
  for (const std::string& tree : golden("mime_trees.jsonl")) {
    const std::string line = R"({"id":5,"action":"accept","mime": )" + tree + "}";
    CHECK(parse_reply(line, Speaker::kMimeHook).value_or(Reply()).mime == tree);
    CHECK(parse_reply(line).value_or(Reply()).unknown_keys == std::vector<std::string>{"mime"});
  }
  const auto nested = [](std::size_t depth) {
    std::string tree;
    for (std::size_t i = 0; i < depth; ++i) tree += "{\"message\":";
    return R"({"action":"accept","mime":)" + tree + "{}" + std::string(depth, '}') + "}";
  };
  CHECK(parse_reply(nested(kMaxMimeDepth - 2), Speaker::kMimeHook));
  CHECK(parse_reply(nested(kMaxMimeDepth - 1), Speaker::kMimeHook).error().text.ends_with("deeper than 512 levels"));
  CHECK(!parse_reply(R"({"action":"accept","mime":[]})", Speaker::kMimeHook));
  CHECK(
      parse_reply(R"({"action":"accept","mime":null})", Speaker::kMimeHook).value_or(Reply{.mime = "x"}).mime.empty());
}

TEST_CASE("an acceptance that only repeats its id is read as any other spelling of it is") {
  for (const char* id : {"1", "999999999999999", "9007199254740991"}) {
    CHECK(parse_reply(fmt::format(R"({{"id":{},"action":"accept"}})", id)) == Reply{.id = std::stoull(id)});
  }
  for (const char* id : {"", "01", "x", "1e", "1,"}) {
    CHECK(!parse_reply(fmt::format(R"({{"id":{},"action":"accept"}})", id)));
  }
}

std::string why(std::string_view line) {
  const auto reply = parse_reply(line);
  if (reply) return "no error";
  const ReplyError& error = reply.error();
  return error.quote.empty() ? error.text : error.text + ": " + error.quote;
}

TEST_CASE("an error says what is wrong, and its id where there is one") {
  CHECK(why("hello world") == "stray line on stdout, skipped; messages belong on stderr: hello world");
  CHECK(why("{'action': 'accept'}").find("json.dumps()") != std::string::npos);
  CHECK(why("ok fine").find("nothing may follow") != std::string::npos);
  CHECK(why("reject 451 x") == "code 451 contradicts reject, which takes 500 to 559");
  CHECK(why("reject 550 4.1.1 x") == "enhanced status code 4.1.1 contradicts reject");
  CHECK(why(R"({"action":"close","code":554})") == "code 554 contradicts close, which is always 421");
  CHECK(why(R"({"action":"accpet"})") == "unknown action \"accpet\"");
  CHECK(why(R"({"action":"reject","code":"550"})") == "\"code\" must be a whole number, without quotes");
  CHECK(why(R"({"v":1,"id":1,"event":"deliver"})") == "it gives the request back instead of a reply");
  CHECK(why(R"({"recipients":[{"action":"accept"},{"action":"maybe"}]})") == "recipient 2: unknown action \"maybe\"");
  CHECK(why(R"({"recipients":"all"})") == "\"recipients\" must be an array of objects");
  CHECK(why("\x1b[31m\xff") == "stray line on stdout, skipped; messages belong on stderr: \\x1b[31m\\xff");
  CHECK(why(R"({"action":"reject","rewrite":"a@b"})") == "\"rewrite\" goes with the action accept only");
  CHECK(why(R"({"action":"accept","rewrite":"<a@b>"})") ==
        "\"rewrite\" must be an address without angle brackets, not \"<a@b>\"");
  CHECK(why(R"({"action":"accept","add_headers":[["X A","b"]]})") ==
        "\"X A\" is no name of a header field: printable ASCII without blanks and colons");
  CHECK(why(R"({"action":"accept","add_headers":[["X","a\nb"]]})") ==
        "the header field \"X\" must be printable ASCII on one line: encode the rest (RFC 2047)");
  CHECK(why(R"({"action":"accept","notes":[]})") == "\"notes\" must be an object");
  CHECK(why(R"({"action":"reject","abrupt":true})") == "\"abrupt\" goes with the action close only");
  CHECK(parse_reply(R"({"action":"no","id":12})").error().id == 12);
}

TEST_CASE("a reply has at most 100 lines, and reading one is bounded in every way") {
  const auto lines = [](int count) {
    Json reply{{"action", "reject"}, {"text", Json::array()}};
    for (int i = 0; i < count; ++i) reply["text"].push_back("x");
    return reply.dump();
  };
  CHECK(parse_reply(lines(100))->verdict.text.size() == 100);
  CHECK(!parse_reply(lines(101)));
  std::string many = R"({"action":"accept")";
  for (int i = 0; i < 5000; ++i) many += fmt::format(",\"k{}\":1", i);
  CHECK(parse_reply(many + "}")->unknown_keys.size() == 16);
  CHECK(!parse_reply("{\"action\":\"accept\",\"a\":" + std::string(60000, '[')));
}

TEST_CASE("any well-formed reply to hello means ready") {
  for (const char* line : {"ok", "reject 550 5.1.1 no such user", "defer", "discard", "close", "{}", "{\"id\":1}",
                           R"({"action":"reject","code":550})", R"({"ready":true,"v":1})"}) {
    CAPTURE(line);
    CHECK(parse_hello_reply(line).value_or(HelloReply{.ready = false}).ready);
  }
  for (const char* line : {"", "starting", "OK", "[]"}) {
    CAPTURE(line);
    CHECK(parse_hello_reply(line).error().kind == ReplyError::kStray);
  }
  for (const char* line : {R"({"v":2})", R"({"ready":"yes"})", R"({"concurrency":0})", R"({"concurrency":"4"})",
                           R"({"decline":["deliver"]})", R"({"v":1,"id":1,"event":"hello"})", "reject 250"}) {
    CAPTURE(line);
    CHECK(parse_hello_reply(line).error().kind == ReplyError::kBroken);
  }
}

TEST_CASE("a reply to hello may say more") {
  const auto reply = parse_hello_reply(
      R"({"id":1,"ready":true,"name":"policy.py","version":"2.1","v":1,"concurrency":8,"stores":true,)"
      R"("decline":["reset"],"color":"red"})");
  REQUIRE(reply);
  CHECK(*reply == HelloReply{.id = 1,
                             .ready = true,
                             .text = "",
                             .concurrency = 8,
                             .stores = true,
                             .wants_reset = false,
                             .name = "policy.py",
                             .version = "2.1",
                             .unknown_keys = {"color"}});
  CHECK(parse_hello_reply(R"({"concurrency":100000})")->concurrency == kMaxConcurrency);
  const auto sorry = parse_hello_reply(R"({"ready":false,"text":["no","users.db"]})");
  REQUIRE(sorry);
  CHECK(!sorry->ready);
  CHECK(sorry->text == "no users.db");
}

}  // namespace
}  // namespace hooksmtpd::hook
