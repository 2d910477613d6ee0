#include "daemon/worker/status_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <vector>

using hooksmtpd::worker::status_text;
using nlohmann::json;

namespace {

std::vector<json> hooks(std::size_t count) {
  std::vector<json> made;
  for (std::size_t i = 1; i <= count; ++i) made.push_back({{"slot", i}, {"requests", 1000 * i}});
  return made;
}

const json kCounters{{"sessions", 7}, {"connections_total", 123}};

}  // namespace

TEST_CASE("the worker's numbers and those of all hooks, where they fit") {
  CHECK(status_text(kCounters, hooks(2), 1000) ==
        R"({"connections_total":123,"hooks":[{"requests":1000,"slot":1},{"requests":2000,"slot":2}],"sessions":7})");
  CHECK(status_text(kCounters, {}, 1000) == R"({"connections_total":123,"hooks":[],"sessions":7})");
}

TEST_CASE("with more hooks than a frame has room for, the numbers of the first ones are told, and how many are not") {
  for (std::size_t room = 100; room < 400; ++room) {
    const std::string text = status_text(kCounters, hooks(12), room);
    CHECK(text.size() <= room);
    const json told = json::parse(text);
    CHECK(told["sessions"] == 7);
    const std::size_t fit = told["hooks"].size();
    CHECK(told.value("hooks_without_numbers", std::size_t(0)) == 12 - fit);
    CHECK(told["hooks"] == json(hooks(fit)));
  }
  CHECK(json::parse(status_text(kCounters, hooks(12), 400))["hooks"].size() > 5);
}
