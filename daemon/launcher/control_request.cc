#include "daemon/launcher/control_request.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "config/suggest.h"

namespace hooksmtpd::launcher {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 10> kCommands{"status", "ready", "configure", "cget",  "reload",
                                                     "stop",   "trace", "messages",  "hooks", "restart-hook"};

constexpr std::uint64_t kMaxInstance = 1'000'000;  // no configuration has so many

std::unexpected<Refusal> usage(std::string error) {
  return std::unexpected(Refusal{.kind = Refusal::Kind::kUsage, .error = std::move(error), .suggestion = {}});
}

// A string under this key; null: it is not there, or something else.
const std::string* text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

std::string_view to_string(Refusal::Kind kind) {
  switch (kind) {
    case Refusal::Kind::kUsage:
      return "usage";
    case Refusal::Kind::kConfig:
      return "config";
    case Refusal::Kind::kRestartNeeded:
      return "restart-needed";
    case Refusal::Kind::kUnavailable:
      return "unavailable";
  }
  return "?";
}

}  // namespace

std::expected<ControlRequest, Refusal> parse_control_request(std::string_view line) {
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return usage("a request is one JSON object on one line");
  const std::string* command = text_of(object, "command");
  if (command == nullptr) return usage("a request names its \"command\"");

  if (*command == "status") return request::Status{};
  if (*command == "ready") return request::Ready{};
  if (*command == "reload") return request::Reload{};
  if (*command == "stop") {
    const auto wait = object.find("wait");
    if (wait != object.end() && !wait->is_boolean()) return usage("stop: \"wait\" is true or false");
    return request::Stop{.wait = wait != object.end() && wait->get<bool>()};
  }
  if (*command == "cget") {
    const std::string* key = text_of(object, "key");
    if (key == nullptr && object.contains("key")) return usage("cget: \"key\" is a string");
    return request::Cget{.key = key == nullptr ? std::string() : *key};
  }
  if (*command == "configure") {
    const std::string* key = text_of(object, "key");
    const std::string* value = text_of(object, "value");
    if (key == nullptr || value == nullptr) return usage("configure: \"key\" and \"value\" are strings");
    return request::Configure{.key = *key, .value = *value};
  }
  if (*command == "trace" || *command == "messages") {
    if (line.size() > kMaxSubscription) {
      return usage(fmt::format("{}: a request of this kind has at most {} octets", *command, kMaxSubscription));
    }
    return request::Subscribe{.line = std::string(line)};
  }
  if (*command == "hooks") return request::Hooks{};
  if (*command == "restart-hook") {
    const std::string* hook = text_of(object, "hook");
    if (hook == nullptr) return usage("restart-hook: \"hook\" is the name of a hook");
    const auto instance = object.find("instance");
    if (instance == object.end()) return request::RestartHook{.hook = *hook};
    const auto* number = instance->get_ptr<const json::number_unsigned_t*>();
    if (number == nullptr || *number == 0 || *number > kMaxInstance) {
      return usage("restart-hook: \"instance\" is a number from 1");
    }
    return request::RestartHook{.hook = *hook, .instance = static_cast<std::uint32_t>(*number)};
  }
  return usage(fmt::format("unknown command '{}'{}", *command, config::did_you_mean(*command, kCommands)));
}

std::string to_line(const json& reply) { return reply.dump(-1, ' ', false, json::error_handler_t::replace); }

json to_json(const Refusal& refusal) {
  json reply{{"ok", false}, {"kind", to_string(refusal.kind)}, {"error", refusal.error}};
  if (!refusal.suggestion.empty()) reply["suggestion"] = refusal.suggestion;
  return reply;
}

}  // namespace hooksmtpd::launcher
