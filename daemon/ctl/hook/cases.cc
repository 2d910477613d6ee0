#include "daemon/ctl/hook/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <ranges>
#include <string_view>

#include "daemon/ctl/hook/embedded.h"
#include "proto/mail/mailbox.h"

namespace hooksmtpd::ctl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using hook::Event;

constexpr std::size_t kMaxFile = 64 * 1024 * 1024;

std::expected<std::string, std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::is_directory(path)) return std::unexpected(fmt::format("{}: cannot be read", path.string()));
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (content.size() > kMaxFile) return std::unexpected(fmt::format("{}: too large", path.string()));
  return content;
}

// Every line end as SMTP has it.
std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

// A message in a case is itself, or where it is.
std::expected<std::string, std::string> read_message(const Json& message, const fs::path& folder) {
  const auto* text = message.get_ptr<const std::string*>();
  if (text == nullptr) return std::unexpected("\"message\" must be a string: the message, or the name of its file");
  if (text->find('\n') != std::string::npos) return with_crlf(*text);
  return read_file(folder / *text);
}

// The golden request with what the case gives instead. A twin stands right before its key, and whatever else is new
// before the subject, which stays the last.
Json merge(const Json& golden, const Json& given) {
  const std::string subject = std::prev(golden.end()).key();
  const auto is_twin = [&](const std::string& key) {
    return key.ends_with("_b64") && golden.contains(key.substr(0, key.size() - 4));
  };
  Json merged = Json::object();
  for (const auto& [key, value] : golden.items()) {
    if (key == subject) {
      for (const auto& [other, news] : given.items()) {
        if (!golden.contains(other) && !is_twin(other)) merged[other] = news;
      }
    }
    if (given.contains(key + "_b64")) merged[key + "_b64"] = given[key + "_b64"];
    merged[key] = given.contains(key) ? given[key] : value;
  }
  return merged;
}

// The parts of an address, unless the case has them.
void add_parts(Json& request, const Json& given) {
  const auto address = given.find("address");
  if (address == given.end() || !address->is_string() || !request.contains("local")) return;
  const auto mailbox = mail::parse_mailbox(address->get<std::string>(), mail::Characters::kUtf8);
  if (!given.contains("local")) request["local"] = mailbox ? mailbox->local_part : std::string();
  if (!given.contains("domain")) request["domain"] = mailbox ? mailbox->domain : std::string();
}

std::expected<Case, std::string> complete(const Json& line, const fs::path& folder) {
  if (!line.is_object() || !line.contains("request") || !line["request"].is_object()) {
    return std::unexpected("a case is an object with a \"request\", which is one, too");
  }
  const Json& given = line["request"];
  const auto event =
      hook::parse_event(given.value("event", Json()).is_string() ? given["event"].get<std::string>() : "");
  if (!event || *event == Event::kHello) return std::unexpected("the \"event\" of the request is none that there is");
  Case made{.name = {}, .event = *event, .request = merge(Json::parse(first_golden(*event)), given)};
  add_parts(made.request, given);
  if (const auto name = line.find("name"); name != line.end() && name->is_string())
    made.name = name->get<std::string>();
  if (const auto message = line.find("message"); message != line.end()) {
    if (*event != Event::kDeliver && *event != Event::kDeliverMime) {
      return std::unexpected("a \"message\" is for deliver and deliver_mime");
    }
    if (*event == Event::kDeliverMime && !given.contains("mime")) {
      return std::unexpected("the request of a deliver_mime with a \"message\" needs its tree, as \"mime\"");
    }
    auto raw = read_message(*message, folder);
    if (!raw) return std::unexpected(std::move(raw.error()));
    made.message = *std::move(raw);
  }
  if (const auto reply = line.find("reply"); reply != line.end()) {
    if (!reply->is_object()) return std::unexpected("the \"reply\" is an object with what is expected of it");
    made.expected = *reply;
  }
  return made;
}

std::expected<std::vector<Case>, std::string> read_one(const fs::path& path) {
  const auto content = read_file(path);
  if (!content) return std::unexpected(content.error());
  std::vector<Case> cases;
  std::size_t number = 0;
  for (const auto part : std::views::split(*content, '\n')) {
    const std::string_view line(part.begin(), part.end());
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos || line.starts_with('#')) continue;
    const std::string place = fmt::format("{}:{}", path.filename().string(), number);
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) return std::unexpected(fmt::format("{}: this is not JSON on one line", place));
    auto one = complete(json, path.parent_path());
    if (!one) return std::unexpected(fmt::format("{}: {}", place, one.error()));
    if (one->name.empty()) one->name = place;
    cases.push_back(*std::move(one));
  }
  return cases;
}

}  // namespace

std::vector<Case> golden_cases() {
  std::vector<Case> cases;
  for (std::size_t i = 1; i < hook::kEvents; ++i) {
    const Event event{static_cast<std::uint8_t>(i)};
    std::size_t number = 0;
    for (const auto part : std::views::split(golden_requests(event), '\n')) {
      const std::string_view line(part.begin(), part.end());
      if (line.empty()) continue;
      Json request = Json::parse(line);
      if (request.contains("for")) continue;  // to the mime hook
      cases.push_back(
          {.name = fmt::format("{} {}", to_string(event), ++number), .event = event, .request = std::move(request)});
    }
  }
  return cases;
}

std::vector<Event> events_of(const std::vector<Case>& cases) {
  std::vector<Event> events;
  for (const Case& one : cases) events.push_back(one.event);
  std::ranges::sort(events);
  const auto twice = std::ranges::unique(events);
  events.erase(twice.begin(), twice.end());
  return events;
}

std::expected<std::vector<Case>, std::string> read_cases(const fs::path& path) {
  if (!fs::is_directory(path)) return read_one(path);
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Case> cases;
  for (const fs::path& file : files) {
    auto some = read_one(file);
    if (!some) return some;
    std::ranges::move(*some, std::back_inserter(cases));
  }
  if (cases.empty()) return std::unexpected(fmt::format("{}: no cases in it", path.string()));
  return cases;
}

}  // namespace hooksmtpd::ctl
