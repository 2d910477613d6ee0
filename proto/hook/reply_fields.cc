#include "proto/hook/reply_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "proto/hook/json_writer.h"
#include "proto/hook/printable.h"

namespace hooksmtpd::hook {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxUnknown = 16;        // names that are worth telling
constexpr double kExact = 9007199254740992.0;  // 2^53: below, a double is an exact number

}  // namespace

// Keeps what stands directly in an object or in an array there, be the object the reply itself or an element of an
// array in it.
struct ReplyFields::Handler {
  std::span<const std::string_view> as_json;
  std::size_t max_depth;
  ReplyFields reply{};
  std::string* json = nullptr;     // where the member that is kept as JSON is written, while it is read
  ReplyFields* element = nullptr;  // the one that is being read
  std::size_t depth = 0;
  bool is_object = false;
  bool too_deep = false;

  std::vector<Member>& members() { return element != nullptr ? element->members_ : reply.members_; }
  std::size_t depth_of_members() const { return element != nullptr ? 3 : 1; }

  // Adds to the member that is kept as JSON. At the depth of the reply's members that was all of it.
  bool keep(auto write) {
    write(JsonWriter(*json));
    if (depth == 1) json = nullptr;
    return true;
  }

  bool value(Value value) {
    if (depth == depth_of_members() && is_object) members().back().value = std::move(value);
    if (depth == depth_of_members() + 1) add_to_list(std::move(value));
    return is_object;  // a lone value is no reply
  }
  void add_to_list(Value value) {
    Value& array = members().back().value;
    auto* list = std::get_if<std::vector<std::string>>(&array);
    auto* text = std::get_if<std::string>(&value);
    if (list != nullptr && text != nullptr) {
      list->push_back(std::move(*text));
    } else {
      array = Other();  // or it is an object, and was one before
    }
  }
  // An object in an array of the reply. The array is a list of objects from its first on; a string before or behind
  // makes it neither.
  void begin_element() {
    Value& array = reply.members_.back().value;
    if (const auto* texts = std::get_if<std::vector<std::string>>(&array); texts != nullptr && texts->empty()) {
      array = std::vector<ReplyFields>();
    }
    auto* objects = std::get_if<std::vector<ReplyFields>>(&array);
    if (objects != nullptr) {
      element = &objects->emplace_back();
    } else {
      array = Other();
    }
  }
  bool open(Value value) {
    const bool object = std::holds_alternative<Other>(value);
    if (depth == 0) is_object = object;
    if (json != nullptr) {
      object ? JsonWriter(*json).begin_object() : JsonWriter(*json).begin_array();
    } else if (depth == 2 && object) {
      begin_element();
    } else if (depth > 0 && !this->value(std::move(value))) {
      return false;
    }
    too_deep = ++depth > max_depth;
    return !too_deep && is_object;
  }
  bool close(char bracket) {
    if (json != nullptr) json->push_back(bracket);
    if (--depth == 1) json = nullptr;
    if (depth == 2) element = nullptr;
    return true;
  }

  bool null() {
    return json ? keep([](JsonWriter writer) { writer.null(); }) : value(std::monostate());
  }
  bool boolean(bool flag) {
    return json ? keep([&](JsonWriter writer) { writer.literal(flag ? "true" : "false"); }) : value(flag);
  }
  bool number_integer(Json::number_integer_t number) {  // negative
    return json ? keep([&](JsonWriter writer) { writer.literal(fmt::to_string(number)); }) : value(Other());
  }
  bool number_unsigned(Json::number_unsigned_t number) {
    return json ? keep([&](JsonWriter writer) { writer.literal(fmt::to_string(number)); }) : value(number);
  }
  // Some languages know no other numbers, and write 7 as 7.0.
  bool number_float(Json::number_float_t number, const std::string& written) {
    if (json) return keep([&](JsonWriter writer) { writer.literal(written); });
    const bool exact = number >= 0 && number < kExact && number == std::floor(number);
    return value(exact ? Value(static_cast<std::uint64_t>(number)) : Value(Other()));
  }
  bool string(std::string& text) {
    return json ? keep([&](JsonWriter writer) { writer.text(text); }) : value(std::move(text));
  }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Other()); }
  bool key(std::string& name) {
    if (json != nullptr) {
      JsonWriter(*json).name(name);
    } else if (depth == depth_of_members()) {
      const bool kept = depth == 1 && std::ranges::find(as_json, name) != as_json.end();
      Member& member = members().emplace_back(std::move(name), kept ? Value(JsonText()) : Value(Other()));
      if (kept) json = &std::get<JsonText>(member.value).text;
    }
    return true;
  }
  bool end_object() { return close('}'); }
  bool start_array(std::size_t) { return open(std::vector<std::string>()); }
  bool end_array() { return close(']'); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) { return false; }
};

std::expected<ReplyFields, ObjectError> ReplyFields::parse(std::string_view text,
                                                           std::span<const std::string_view> as_json,
                                                           std::size_t max_depth) {
  Handler handler{.as_json = as_json, .max_depth = max_depth};
  const bool parsed = Json::sax_parse(text, &handler);
  if (handler.too_deep) return std::unexpected(ObjectError::kTooDeep);
  if (!parsed || !handler.is_object) return std::unexpected(ObjectError::kNoObject);
  return std::move(handler.reply);
}

ReplyFields::Value ReplyFields::take(std::string_view key) {
  Value value = std::monostate();
  bool found = false;
  for (Member& member : members_) {
    if (member.key != key) continue;
    if (found && !error_) error_ = fmt::format("\"{}\" comes twice", key);
    value = member.value;
    member.asked_for = found = true;
  }
  return value;
}

template <class T>
std::optional<T> ReplyFields::take_as(std::string_view key, std::string_view expected) {
  Value value = take(key);
  if (auto* typed = std::get_if<T>(&value)) return std::move(*typed);
  if (!std::holds_alternative<std::monostate>(value) && !error_)
    error_ = fmt::format("\"{}\" must be {}", key, expected);
  return std::nullopt;
}

std::optional<std::uint64_t> ReplyFields::number(std::string_view key) {
  return take_as<std::uint64_t>(key, "a whole number, without quotes");
}

std::optional<bool> ReplyFields::boolean(std::string_view key) { return take_as<bool>(key, "true or false"); }

std::optional<std::string> ReplyFields::text(std::string_view key) { return take_as<std::string>(key, "a string"); }

std::vector<std::string> ReplyFields::list(std::string_view key) {
  Value value = take(key);
  if (auto* text = std::get_if<std::string>(&value)) return {std::move(*text)};
  if (auto* list = std::get_if<std::vector<std::string>>(&value)) return std::move(*list);
  if (!std::holds_alternative<std::monostate>(value) && !error_) {
    error_ = fmt::format("\"{}\" must be a string or an array of strings", key);
  }
  return {};
}

std::optional<std::vector<ReplyFields>> ReplyFields::objects(std::string_view key) {
  Value value = take(key);
  if (auto* objects = std::get_if<std::vector<ReplyFields>>(&value)) return std::move(*objects);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value); texts != nullptr && texts->empty()) {
    return std::vector<ReplyFields>();
  }
  if (!std::holds_alternative<std::monostate>(value) && !error_)
    error_ = fmt::format("\"{}\" must be an array of objects", key);
  return std::nullopt;
}

std::optional<std::string> ReplyFields::json(std::string_view key) {
  auto kept = take_as<JsonText>(key, "JSON");
  return kept ? std::optional(std::move(kept->text)) : std::nullopt;
}

void ReplyFields::skip(std::string_view key) {
  for (Member& member : members_) member.asked_for |= member.key == key;
}

bool ReplyFields::has(std::string_view key) const {
  const auto found = std::ranges::find(members_, key, &Member::key);
  return found != members_.end() && !std::holds_alternative<std::monostate>(found->value);
}

std::vector<std::string> ReplyFields::unknown() const {
  std::vector<std::string> keys;
  for (const Member& member : members_) {
    if (!member.asked_for && keys.size() < kMaxUnknown) keys.push_back(printable(member.key, 40));
  }
  return keys;
}

}  // namespace hooksmtpd::hook
