#include "daemon/ctl/show.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "config/spelling.h"
#include "daemon/ctl/table.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;

const json kNull;

// Never throws, whatever came: an absent member is null.
const json& at(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : kNull;
}

std::string text(const json& value) {
  if (value.is_null()) return "-";
  if (const auto* string = value.get_ptr<const std::string*>()) return config::printable(*string);
  return value.dump();
}
std::string text(const json& object, const char* key) { return text(at(object, key)); }

// Line by line, so that its line ends stay.
std::string lines(const json& value) {
  const auto* whole = value.get_ptr<const std::string*>();
  if (whole == nullptr) return text(value);
  std::string out;
  std::string_view rest = *whole;
  while (true) {
    const std::size_t end = rest.find('\n');
    for (const char c : rest.substr(0, end)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    if (end == std::string_view::npos) return out;
    out += '\n';
    rest.remove_prefix(end + 1);
  }
}

std::string joined(const json& list) {
  std::string all;
  for (const json& one : list) all += fmt::format("{}{}", all.empty() ? "" : ", ", text(one));
  return all;
}

std::string duration(const json& seconds) {
  const std::int64_t s = seconds.is_number_integer() ? seconds.get<std::int64_t>() : 0;
  if (s < 120) return fmt::format("{} s", s);
  if (s < 7200) return fmt::format("{} min", s / 60);
  if (s < 172800) return fmt::format("{} h", s / 3600);
  return fmt::format("{} days", s / 86400);
}

std::string isolation(const json& object) {
  const json& missing = at(object, "missing");
  std::string line = text(object, "level");
  if (missing.is_array() && !missing.empty()) line += fmt::format(" (missing: {})", joined(missing));
  return line;
}

std::string process(const json& object) {
  return fmt::format("{}, pid {}, {} restarts", text(object, "state"), text(object, "pid"), text(object, "restarts"));
}

std::string worker(const json& object) {
  std::string line = process(object);
  if (!at(object, "sessions").is_null()) {
    line += fmt::format("; {} sessions open, {} connections, {} messages accepted, {} refused",
                        text(object, "sessions"), text(object, "connections_total"), text(object, "messages_accepted"),
                        text(object, "messages_refused"));
  }
  return line;
}

void add_last_error(std::vector<Row>& rows, const json& object) {
  const std::string error = text(object, "last_error");
  if (!error.empty() && error != "-") rows.push_back({"", fmt::format("last error: {}", error)});
}

std::string hooks(const json& list) {
  std::vector<Row> rows{{"HOOK", "STATE", "PID", "RESTARTS", "REQUESTS", "WAITING", "LAST ERROR"}};
  for (const json& hook : list) {
    const std::string error = text(hook, "last_error");
    rows.push_back({fmt::format("{}/{}", text(hook, "name"), text(hook, "instance")), text(hook, "state"),
                    text(hook, "pid"), text(hook, "restarts"), text(hook, "requests"), text(hook, "waiting"),
                    error.empty() ? "-" : error});
  }
  return table(rows);
}

// "850 us", "3.2 ms", "1.5 s"; "-": it has answered nothing yet.
std::string latency(const json& hook, const char* key) {
  const json& value = at(hook, key);
  const json& answers = at(hook, "answers");
  if (!value.is_number() || !answers.is_number() || answers == 0) return "-";
  const auto micro = value.get<double>();
  if (micro < 1000) return fmt::format("{:.0f} us", micro);
  if (micro < 1'000'000) return fmt::format("{:.{}f} ms", micro / 1000, micro < 10'000 ? 1 : 0);
  return fmt::format("{:.1f} s", micro / 1'000'000);
}

// What it does besides judging: "stores", "sender, headers"; "-": nothing.
std::string effects(const json& hook) {
  json list = json::array();
  if (at(hook, "stores") == 1) list.push_back("stores");
  for (const char* what : {"sender", "recipient", "headers"}) {
    if (at(hook, fmt::format("modifies_{}", what).c_str()) == 1) list.push_back(what);
  }
  return list.empty() ? "-" : joined(list);
}

}  // namespace

std::string show_status(const json& reply) {
  std::string out = fmt::format("hooksmtpd {}, {}, pid {}, up {}\n", text(reply, "version"), text(reply, "state"),
                                text(reply, "pid"), duration(at(reply, "uptime")));
  std::vector<Row> rows;
  for (const json& one : at(reply, "addresses")) rows.push_back({text(one, "listener"), text(one, "address")});
  rows.push_back({"worker", worker(at(reply, "worker"))});
  add_last_error(rows, at(reply, "worker"));
  if (const json& keyholder = at(reply, "keyholder"); !keyholder.is_null()) {
    rows.push_back({"keyholder", process(keyholder)});
    add_last_error(rows, keyholder);
  }
  rows.push_back({"isolation", isolation(at(reply, "isolation"))});
  const json& files = at(reply, "config");
  rows.push_back({"configuration", files.empty() ? "built-in defaults" : joined(files)});
  out += table(rows);
  if (at(reply, "discards") == true) out += "no hook has the event 'deliver': mail is accepted and thrown away\n";
  if (!at(reply, "hooks").empty()) out += fmt::format("\n{}", hooks(at(reply, "hooks")));
  return out;
}

std::string show_hooks(const json& reply) {
  std::vector<Row> rows{
      {"HOOK", "STATE", "REQUESTS", "FAILURES", "RESTARTS", "P50", "P99", "STORES, MODIFIES", "LAST ERROR"}};
  for (const json& hook : at(reply, "hooks")) {
    const std::string error = text(hook, "last_error");
    rows.push_back({fmt::format("{}/{}", text(hook, "name"), text(hook, "instance")), text(hook, "state"),
                    text(hook, "requests"), text(hook, "failures"), text(hook, "restarts"), latency(hook, "p50_us"),
                    latency(hook, "p99_us"), effects(hook), error.empty() ? "-" : error});
  }
  return rows.size() == 1 ? "no hooks\n" : table(rows);
}

std::string show_restarting(const json& reply) {
  return fmt::format("restarting: {}\n", joined(at(reply, "restarting")));
}

std::string show_settings(const json& reply, bool one) {
  std::vector<Row> rows;
  for (const json& setting : at(reply, "values")) {
    if (one) return text(setting, "value") + "\n";
    rows.push_back({text(setting, "key"), text(setting, "value"), text(setting, "origin")});
  }
  return table(rows);
}

std::string show_changes(const json& reply) {
  std::string out;
  for (const json& warning : at(reply, "warnings")) out += lines(warning) + "\n";
  const json& changed = at(reply, "changed");
  return out + (changed.empty() ? "nothing changed\n" : fmt::format("changed: {}\n", joined(changed)));
}

std::string show_error(const json& reply) {
  std::string out = lines(at(reply, "error"));
  for (const json& hook : at(reply, "missing")) {
    const std::string error = text(hook, "last_error");
    if (error.empty() || error == "-") continue;
    out += fmt::format("\n{}/{}: {}", text(hook, "name"), text(hook, "instance"), error);
  }
  if (const json& suggestion = at(reply, "suggestion"); !suggestion.is_null())
    out += fmt::format("\n{}", lines(suggestion));
  return out;
}

}  // namespace hooksmtpd::ctl
