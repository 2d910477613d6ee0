#include "daemon/ctl/hook/verdict_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>

namespace hooksmtpd::ctl {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const mail::Verdict& verdict) {
  Json json{{"action", to_string(verdict.action)}};
  if (verdict.code != 0) json["code"] = verdict.code;
  if (!verdict.enhanced.empty()) json["enhanced"] = verdict.enhanced;
  if (verdict.text.size() == 1) json["text"] = verdict.text.front();
  if (verdict.text.size() > 1) json["text"] = verdict.text;
  for (const mail::Verdict& recipient : verdict.recipients) json["recipients"].push_back(to_json(recipient));
  if (verdict.rewrite) json["rewrite"] = to_string(*verdict.rewrite);
  for (const mail::AddedHeader& header : verdict.add_headers) {
    json["add_headers"].push_back(Json::array({header.name, header.value}));
  }
  if (verdict.abrupt) json["abrupt"] = true;
  return json;
}

std::string shown(const Json& value) { return value.dump(-1, ' ', true, Json::error_handler_t::replace); }

bool matches(const Json& expected, const Json& actual) try {
  const auto* pattern = expected.get_ptr<const std::string*>();
  if (pattern == nullptr || !pattern->starts_with('~')) return expected == actual;
  const std::string text = actual.is_string() ? actual.get<std::string>() : shown(actual);
  return std::regex_search(text, std::regex(pattern->substr(1)));
} catch (const std::regex_error&) {
  return false;
}

}  // namespace

Json to_json(const hook::outcome::Answer& answer) {
  Json json = to_json(answer.verdict);
  if (answer.delay.count() != 0) json["delay_ms"] = answer.delay.count();
  if (answer.notes) json["notes"] = Json::parse(*answer.notes, nullptr, false);
  if (!answer.mime.empty()) json["mime"] = Json::parse(answer.mime, nullptr, false);
  return json;
}

std::string to_text(const hook::outcome::Answer& answer) {
  const Json json = to_json(answer);
  std::string text = json["action"].get<std::string>();
  for (const auto& [key, value] : json.items()) {
    if (key == "action") continue;
    const bool word = key == "code" || key == "enhanced";
    text.append(" ");
    if (!word && key != "text") text.append(key).append("=");
    text.append(word && value.is_string() ? value.get<std::string>() : shown(value));
  }
  return text;
}

std::optional<std::string> difference(const Json& expected, const Json& actual) {
  for (const auto& [key, value] : expected.items()) {
    const auto found = actual.find(key);
    if (found == actual.end()) {
      if (!value.is_null()) return fmt::format("expected {} {}, but there is none", key, shown(value));
    } else if (value.is_null()) {
      return fmt::format("expected no {}, but there is {}", key, shown(*found));
    } else if (!matches(value, *found)) {
      return fmt::format("expected {} {}, but it is {}", key, shown(value), shown(*found));
    }
  }
  return std::nullopt;
}

}  // namespace hooksmtpd::ctl
