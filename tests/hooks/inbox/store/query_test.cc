#include "hooks/inbox/store/query.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace hooksmtpd::inbox;

namespace {

// 2026-11-23 00:00 UTC.
constexpr Time kNow{std::chrono::milliseconds(1'795'392'000'000)};
constexpr std::int64_t kNoon = 12 * 3'600'000;

// "MATCH | SQL [VALUE] | SQL"
std::string text(const Query& query) {
  std::string out = query.match;
  for (const Query::Condition& condition : query.conditions) {
    out += (out.empty() ? "| " : " | ") + condition.sql;
    if (const auto* number = std::get_if<std::int64_t>(&condition.value))
      out.append(" [").append(std::to_string(*number)).append("]");
    if (const auto* value = std::get_if<std::string>(&condition.value)) out.append(" [").append(*value).append("]");
  }
  return out;
}

struct Case {
  std::string query, result;
};

const std::string kMidnight = std::to_string(kNow.time_since_epoch().count());
const std::string kAtNoon = std::to_string(kNow.time_since_epoch().count() + kNoon);

const Case kCases[] = {
    {"", ""},
    {" \t\r\n", ""},
    {"invoice", R"("invoice" *)"},
    {"two words", R"("two" * AND "words" *)"},
    {R"("two words")", R"("two words")"},
    {R"("never closed)", R"("never closed")"},
    {R"(a"b)", R"("a""b" *)"},
    {"from:ann", R"(sender : "ann" *)"},
    {"FROM:ann", R"(sender : "ann" *)"},
    {R"(subject:"two words")", R"(subject : "two words")"},
    {"filename:a.pdf files:b", R"(files : "a.pdf" * AND files : "b" *)"},
    // what has a meaning in FTS5 or SQL has none here
    {"AND OR NOT NEAR(a", R"("AND" * AND "OR" * AND "NOT" * AND "NEAR(a" *)"},
    {"x'); DROP", R"("x');" * AND "DROP" *)"},
    {"! - ** ()", ""},
    {"-x", R"(| m.sequence NOT IN (SELECT rowid FROM search WHERE search MATCH ?) ["x" *])"},
    {"--x", R"(| m.sequence NOT IN (SELECT rowid FROM search WHERE search MATCH ?) ["-x" *])"},
    // keys that are none, or have no value that they could have, are words
    {"nokey:x", R"("nokey x" *)"},
    {"from:", R"("from:" *)"},
    {"is:purple", R"("is purple" *)"},
    {"larger:huge", R"("larger huge" *)"},
    {"before:tomorrow", R"("before tomorrow" *)"},
    {"id:xyz", R"("id xyz" *)"},
    {"is:unread", "| m.unread"},
    {"-is:unread", "| NOT (m.unread)"},
    {"IS:Unread", "| m.unread"},
    {"has:html x", R"("x" * | m.flags & 8)"},
    {"message-id:<a@b>", "| m.message_id = ? [a@b]"},
    {"id:3F2a", "| m.id GLOB ? [3f2a*]"},
    {"id:*", R"("id *" *)"},
    {"in:bills", "| m.mailbox IN (SELECT mailbox FROM mailboxes WHERE name = ?) [bills]"},
    {"larger:10k", "| m.size > ? [10240]"},
    {"smaller:5M", "| m.size < ? [5242880]"},
    {"larger:7", "| m.size > ? [7]"},
    {"larger:-1", R"("larger -1" *)"},
    {"larger:99999999999999999999", R"("larger 99999999999999999999" *)"},
    {"before:2026-11-23", "| m.received < ? [" + kMidnight + "]"},
    {"after:2026/11/23", "| m.received >= ? [" + kMidnight + "]"},
    {"after:2026-11-23T12:00Z", "| m.received >= ? [" + kAtNoon + "]"},
    {"after:\"2026-11-23 12:00:00\"", "| m.received >= ? [" + kAtNoon + "]"},
    {"after:0d", "| m.received >= ? [" + kMidnight + "]"},
    {"before:2026-13-01", R"("before 2026-13-01" *)"},
    {"before:2026-02-30", R"("before 2026-02-30" *)"},
    {"before:2026-11", R"("before 2026-11" *)"},
    {"before:2026-11-23T25:00", R"("before 2026-11-23T25:00" *)"},
};

}  // namespace

TEST_CASE("a query is words for the index, and conditions on rows") {
  for (const Case& one : kCases) {
    CAPTURE(one.query);
    CHECK(text(parse_query(one.query, kNow)) == one.result);
  }
}

TEST_CASE("ages are counted from now") {
  const auto before = [](const std::string& age) {
    const Query query = parse_query("before:" + age, kNow);
    REQUIRE(query.conditions.size() == 1);
    return kNow.time_since_epoch().count() - std::get<std::int64_t>(query.conditions.front().value);
  };
  CHECK(before("5m") == 300'000);
  CHECK(before("12h") == kNoon);
  CHECK(before("3d") == 3 * 86'400'000);
  CHECK(before("2W") == 14 * 86'400'000LL);
}

TEST_CASE("a NUL in a word is a blank") { CHECK(parse_query(std::string("a\0b", 3), kNow).match == "\"a b\" *"); }

TEST_CASE("a long query is looked at as far as fifty terms") {
  std::string query;
  for (int i = 0; i < 60; ++i) query += "is:unread ";
  CHECK(parse_query(query, kNow).conditions.size() == 50);
}
