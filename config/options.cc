#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/tables.h"

namespace hooksmtpd::config {
namespace {

// They are part of the hello request, a line of at most 64 KiB.
constexpr std::size_t kLongestOptions = 48 * 1024;
constexpr int kDeepest = 32;  // tables in tables; a.b.c makes them cheaply, and a hook's JSON parser must follow

template <class T>
std::string printed(const T& date_or_time) {
  std::ostringstream text;
  text << date_or_time;
  return text.str();
}

// Dates and times, which JSON does not have, as RFC 3339 text; infinities and NaN, which it lacks too, as errors.
nlohmann::json to_json(Section& hook, const toml::node& node, const std::string& path, int depth = 0) {
  if (depth > kDeepest) {
    hook.problem(node, path, "is nested too deep");
    return nullptr;
  }
  if (const auto* table = node.as_table()) {
    auto object = nlohmann::json::object();
    for (const auto& [key, value] : *table) {
      object[std::string(key.str())] =
          to_json(hook, value, fmt::format("{}.{}", path, printable(key.str())), depth + 1);
    }
    return object;
  }
  if (const auto* array = node.as_array()) {
    auto list = nlohmann::json::array();
    for (const toml::node& value : *array) list.push_back(to_json(hook, value, path, depth + 1));
    return list;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_floating_point()) {
    if (!std::isfinite(number->get())) hook.problem(node, path, "must be finite: JSON has no other numbers");
    return number->get();
  }
  if (const auto* date = node.as_date()) return printed(date->get());
  if (const auto* time = node.as_time()) return printed(time->get());
  if (const auto* moment = node.as_date_time()) return printed(moment->get());
  return nullptr;
}

}  // namespace

std::string read_options(Section& hook, std::string_view key) {
  const toml::table* table = hook.subtable(key);
  if (table == nullptr) return "{}";
  std::string text = to_json(hook, *table, std::string(key)).dump(-1, ' ', true);
  if (text.size() > kLongestOptions) {
    hook.problem(*table, key, fmt::format("must be at most {} octets as JSON, not {}", kLongestOptions, text.size()));
  }
  return text;
}

}  // namespace hooksmtpd::config
