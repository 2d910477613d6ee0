#include "daemon/ctl/hook/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <utility>

#include "proto/hook/reply.h"

namespace hooksmtpd::ctl {
namespace {

using Json = nlohmann::ordered_json;
using hook::Event;

std::optional<std::string> decode_base64(std::string_view text) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return bytes;
}

// The text of a member, or nothing.
std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Puts requests and replies together.
class Reader {
 public:
  explicit Reader(std::string hook) : hook_(std::move(hook)) {}

  // What is wrong with a line.
  std::optional<std::string> read(const Json& line) {
    const std::string hook = text_of(line, "hook");
    const bool request = line.contains("request"), reply = line.contains("reply");
    if (!request && !reply) return std::nullopt;
    if (!hook.empty()) hooks_.insert(hook);
    if (!hook_.empty() && hook != hook_) return std::nullopt;
    const std::string process = fmt::format("{}/{}", hook, line.value("instance", Json(1)).dump());
    if (request) return read_request(line, process);
    if (!line["reply"].is_string()) return "the \"reply\" is no string";
    take_reply(process, line["reply"].get<std::string>());
    return std::nullopt;
  }

  std::expected<Recording, std::string> finish() {
    if (hook_.empty() && hooks_.size() > 1) {
      return std::unexpected(fmt::format("there are several hooks in it: say --hook {}", *hooks_.begin()));
    }
    if (recording_.requests.empty()) return std::unexpected("there is no request in it that can be replayed");
    return std::move(recording_);
  }

 private:
  struct Open {
    std::string process;
    Json id;
    std::optional<std::size_t> index;  // of recording_.requests; nullopt: not replayed
  };

  std::optional<std::string> read_request(const Json& line, const std::string& process) {
    const Json& request = line["request"];
    if (!request.is_object()) return "the \"request\" is no object";
    const auto event = hook::parse_event(text_of(request, "event"));
    if (!event) return std::nullopt;  // of a later version
    Open open{.process = process, .id = request.value("id", Json()), .index = {}};
    if (*event == Event::kHello) {
      recording_.options = request.value("options", Json::object()).dump(-1, ' ', true);
    } else if (*event == Event::kAuth || *event == Event::kCancel) {
      ++recording_.left_out;
    } else {
      Case one{.name = fmt::format("{} {}", to_string(*event), open.id.dump()), .event = *event, .request = request};
      if (line.contains("message_b64")) {
        auto message = decode_base64(text_of(line, "message_b64"));
        if (!message) return "\"message_b64\" is not base64";
        one.message = std::move(message);
        one.form = MessageForm::kAsDelivered;
      } else if (*event == Event::kDeliver || *event == Event::kDeliverMime) {
        ++recording_.without_message;
      }
      open.index = recording_.requests.size();
      recording_.requests.push_back({.one = std::move(one), .reply = {}});
    }
    open_.push_back(std::move(open));
    return std::nullopt;
  }

  void take_reply(const std::string& process, const std::string& reply) {
    const Json id = Json::parse(reply, nullptr, false);
    const Json named = id.is_object() ? id.value("id", Json()) : Json();
    auto found = std::ranges::find_if(
        open_, [&](const Open& open) { return open.process == process && (named.is_null() || open.id == named); });
    if (found == open_.end()) return;
    if (found->index) recording_.requests[*found->index].reply = reply;
    open_.erase(found);
  }

  std::string hook_;
  std::set<std::string> hooks_;
  std::vector<Open> open_;
  Recording recording_;
};

}  // namespace

std::expected<Recording, std::string> read_recording(const std::filesystem::path& path, const std::string& hook) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) {
    return std::unexpected(fmt::format("{} cannot be read", path.string()));
  }
  Reader reader(hook);
  std::size_t number = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    if (text.empty()) continue;
    const Json line = Json::parse(text, nullptr, false);
    if (!line.is_object()) return std::unexpected(fmt::format("{}:{}: this is no JSON object", path.string(), number));
    if (auto wrong = reader.read(line)) return std::unexpected(fmt::format("{}:{}: {}", path.string(), number, *wrong));
  }
  auto recording = reader.finish();
  if (!recording) return std::unexpected(fmt::format("{}: {}", path.string(), recording.error()));
  return recording;
}

}  // namespace hooksmtpd::ctl
