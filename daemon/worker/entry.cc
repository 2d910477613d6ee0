#include "daemon/worker/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace hooksmtpd::worker::entry {
namespace {

constexpr std::string_view kChallenge = "334 ";

void begin(hook::JsonWriter& json, std::optional<SinceBegin> when, std::string_view from) {
  if (when) milliseconds(json, "ms", *when);
  json.text("from", from);
}

// All lines of what a hook told the client, with a line feed between them.
std::string whole(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text.append(text.empty() ? "" : "\n").append(line);
  return text;
}

}  // namespace

void milliseconds(hook::JsonWriter& json, std::string_view key, std::chrono::nanoseconds value) {
  const auto micro = std::max<std::int64_t>(0, std::chrono::floor<std::chrono::microseconds>(value).count());
  std::string text = fmt::format("{}", micro / 1000);
  if (micro % 1000 != 0) {
    text += fmt::format(".{:03}", micro % 1000);
    text.erase(text.find_last_not_of('0') + 1);
  }
  json.json(key, text);
}

void server_line(hook::JsonWriter& json, std::optional<SinceBegin> when, std::string_view line) {
  begin(json, when, "server");
  json.text("line", line.starts_with(kChallenge) ? "334 ***" : line);
}

void client_line(hook::JsonWriter& json, std::optional<SinceBegin> when, std::string_view line) {
  begin(json, when, "client");
  json.text("line", line);
}

void client_octets(hook::JsonWriter& json, std::optional<SinceBegin> when, std::uint64_t octets) {
  begin(json, when, "client");
  json.number("octets", octets);
}

void hook_reply(hook::JsonWriter& json, std::optional<SinceBegin> when, const HookEntry& what) {
  begin(json, when, "hook");
  json.text("hook", what.hook);
  json.number("instance", what.instance);
  json.text("event", to_string(what.event));
  if (const mail::Verdict* verdict = what.verdict) {
    json.text("action", to_string(verdict->action));
    if (verdict->code != 0) json.number("code", static_cast<std::uint64_t>(verdict->code));
    // What a hook writes about a password may be that password.
    if (!verdict->text.empty() && what.event != hook::Event::kAuth) json.text("text", whole(verdict->text));
  } else {
    json.text("failed", what.failure);
  }
  milliseconds(json, "took_ms", what.took);
}

void tls(hook::JsonWriter& json, std::optional<SinceBegin> when, std::string_view version, std::string_view cipher) {
  begin(json, when, "daemon");
  json.text("what", "tls");
  json.text("version", version);
  json.text("cipher", cipher);
}

std::string_view take_line(std::string_view& wire) {
  const std::size_t end = wire.find("\r\n");
  const std::string_view line = wire.substr(0, end);
  wire.remove_prefix(end == std::string_view::npos ? wire.size() : end + 2);
  return line;
}

}  // namespace hooksmtpd::worker::entry
