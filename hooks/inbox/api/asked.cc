#include "hooks/inbox/api/asked.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <utility>

namespace hooksmtpd::inbox {

void bad_request(std::string detail) { throw ProblemError({400, "Bad Request", std::move(detail)}); }
void not_found(std::string detail) { throw ProblemError({404, "Not Found", std::move(detail)}); }

nlohmann::json read_json(const Exchange& exchange) {
  auto json = nlohmann::json::parse(exchange.body(), nullptr, false);
  if (!json.is_object()) bad_request("the body must be a JSON object");
  return json;
}

std::int64_t number(const Exchange& exchange, const char* name, std::int64_t usual, std::int64_t most) {
  const std::string text = exchange.parameter(name);
  if (text.empty()) return usual;
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    bad_request(fmt::format("`{}` must be a number", name));
  }
  return std::min(value, most);
}

Message message_of(const Context& context, const std::string& id) {
  auto message = context.store.reader().message(id);
  if (!message) not_found("there is no such message");
  return *std::move(message);
}

Opened open(const Context& context, const std::string& id) {
  std::optional<Opened> opened;
  context.store.reader().raw(id, [&](std::string_view octets) { opened.emplace(std::string(octets)); });
  if (!opened) not_found("there is no such message");
  return *std::move(opened);
}

std::vector<std::string> words_of(const std::string& path) {
  std::vector<std::string> words;
  std::istringstream in(path);
  for (std::string word; std::getline(in, word, '/');) words.push_back(word);
  return words;
}

void reply_broken(Context& context, Exchange& exchange, const DatabaseError& error) {
  context.complaints.say(fmt::format("the database cannot be read: {}", error.what()));
  exchange.reply(Problem{500, "Internal Server Error", error.what()});
}

Problem problem_of(const WriteFailure& failure) {
  return {failure.full ? 507 : 500, "It could not be written", failure.text};
}

}  // namespace hooksmtpd::inbox
