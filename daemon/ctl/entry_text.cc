#include "daemon/ctl/entry_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "daemon/ctl/terminal_text.h"

namespace hooksmtpd::ctl {
namespace {

using Entry = nlohmann::ordered_json;

constexpr std::string_view kGreen = "\x1b[32m", kCyan = "\x1b[36m", kYellow = "\x1b[33m", kRed = "\x1b[31m",
                           kDim = "\x1b[2m", kPlain = "\x1b[0m";

struct Line {
  std::string_view colour;
  std::string text;
};

// As it is, not yet fit for a terminal; empty: it is not there.
std::string member(const Entry& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || found->is_null()) return {};
  if (const auto* text = found->get_ptr<const std::string*>()) return *text;
  return found->dump(-1, ' ', /*ensure_ascii=*/true, Entry::error_handler_t::replace);
}

std::string hook_of(const Entry& entry) {
  return fmt::format("{}/{}", member(entry, "hook"), member(entry, "instance"));
}

// " key", and nothing where it is not there.
std::string spaced(const Entry& entry, const char* key) {
  std::string text = member(entry, key);
  if (!text.empty()) text.insert(0, 1, ' ');
  return text;
}

Line of_client(const Entry& entry) {
  if (entry.contains("octets")) return {kCyan, fmt::format("C: <{} octets>", member(entry, "octets"))};
  return {kCyan, fmt::format("C: {}", member(entry, "line"))};
}

Line of_hook(const Entry& entry) {
  if (entry.contains("stderr")) return {kYellow, fmt::format("H! {} {}", hook_of(entry), member(entry, "stderr"))};
  const bool failed = entry.contains("failed");
  std::string text = fmt::format("H: {}{}", hook_of(entry), spaced(entry, "event"));
  text += failed ? fmt::format(" failed: {}", member(entry, "failed"))
                 : spaced(entry, "action") + spaced(entry, "code") + spaced(entry, "text");
  text += fmt::format(" ({} ms)", member(entry, "took_ms"));
  if (entry.contains("reply")) text += fmt::format(": {}", member(entry, "reply"));
  return {failed ? kRed : kYellow, std::move(text)};
}

Line of_daemon(const Entry& entry) {
  const std::string what = member(entry, "what");
  if (what == "request") {
    return {kYellow, fmt::format("H? {} {} {}", hook_of(entry), member(entry, "event"), member(entry, "request"))};
  }
  if (what == "begin") {
    return {kDim, fmt::format("-- begin listener={} client={}", member(entry, "listener"), member(entry, "client"))};
  }
  if (what == "end") return {kDim, fmt::format("-- end {}", member(entry, "reason"))};
  if (what == "tls") return {kDim, fmt::format("-- tls{}{}", spaced(entry, "version"), spaced(entry, "cipher"))};
  if (what == "hook") {
    const std::string state = member(entry, "state");
    return {state == "ready" ? kDim : kRed,
            fmt::format("-- hook {} {}{}", hook_of(entry), state, spaced(entry, "reason"))};
  }
  if (what == "dropped") {
    return {kRed, fmt::format("-- {} entries were dropped: this reads too slowly", member(entry, "count"))};
  }
  if (what == "restarted") return {kRed, "-- the worker was started anew: what happened in between was not heard"};
  return {kDim, fmt::format("-- {}", what)};
}

Line line_of(const Entry& entry) {
  const std::string from = member(entry, "from");
  if (from == "server") return {kGreen, fmt::format("S: {}", member(entry, "line"))};
  if (from == "client") return of_client(entry);
  if (from == "hook") return of_hook(entry);
  return of_daemon(entry);
}

}  // namespace

std::string entry_text(const Entry& entry, Colours colours) {
  const Line line = line_of(entry);
  const std::string time = member(entry, "time");
  // "2026-11-22T17:20:11.482Z": the date is the same all day.
  std::string head = time.size() == 24 ? time.substr(11, 12) : time;
  head += spaced(entry, "session");
  const std::string whole = shown(head.empty() ? head : head + " "), text = shown(line.text);
  if (colours == Colours::kOff) return whole + text;
  return fmt::format("{}{}{}{}{}{}", kDim, whole, kPlain, line.colour, text, kPlain);
}

std::string dialogue_line(const Entry& entry) {
  const std::string from = member(entry, "from");
  if (from == "server" || from == "client") return line_of(entry).text;
  if (from != "hook" || !entry.contains("event")) return {};
  const std::string action = entry.contains("failed") ? "failed" : member(entry, "action");
  return fmt::format("H: {} {} {}", member(entry, "hook"), member(entry, "event"), action);
}

}  // namespace hooksmtpd::ctl
