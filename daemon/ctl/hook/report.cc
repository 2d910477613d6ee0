#include "daemon/ctl/hook/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/ctl/hook/verdict_json.h"
#include "proto/hook/printable.h"

namespace hooksmtpd::ctl {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxName = 50;  // of a case, in its column

std::size_t widest_name(const Examined& examined) {
  std::size_t widest = std::string_view("hello").size();
  for (const CaseResult& one : examined.cases) widest = std::max(widest, hook::printable(one.name, kMaxName).size());
  return widest;
}

double milliseconds(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

// With three decimals: more is noise.
double rounded(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(time).count()) / 1000;
}

std::string log_lines(const std::vector<std::string>& log) {
  std::string text;
  for (const std::string& line : log) text += fmt::format("       | {}\n", hook::printable(line));
  return text;
}

std::string hello_text(const hook::HelloReply& hello) {
  std::string text = "ready";
  if (!hello.name.empty()) text += fmt::format(": {}", hook::printable(hello.name, 60));
  if (!hello.version.empty()) text += fmt::format(" {}", hook::printable(hello.version, 30));
  if (hello.concurrency > 1) text += fmt::format(", takes {} requests at once", hello.concurrency);
  if (hello.inline_body) text += ", messages in the request";
  return text;
}

Json hello_json(const hook::HelloReply& hello) {
  Json json{{"name", hello.name},
            {"version", hello.version},
            {"concurrency", hello.concurrency},
            {"stores", hello.stores},
            {"body", hello.inline_body ? "inline" : "path"},
            {"dialogue", hello.dialogue}};
  if (hello.events) {
    json["events"] = Json::array();
    for (const hook::Event event : *hello.events) json["events"].push_back(to_string(event));
  }
  return json;
}

std::string counted(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

}  // namespace

std::string to_text(const Examined& examined) {
  std::string text;
  const std::size_t width = widest_name(examined);
  const auto line = [&](bool good, std::string_view name, std::chrono::nanoseconds took, std::string_view what) {
    text += fmt::format("{:<4}  {:<{}}  {:>8.2f} ms  {}\n", good ? "ok" : "FAIL", hook::printable(name, kMaxName),
                        width, milliseconds(took), what);
  };
  line(examined.hello.has_value(), "hello", examined.start, examined.hello ? hello_text(*examined.hello) : "not ready");
  text += log_lines(examined.log);
  for (const CaseResult& one : examined.cases) {
    line(one.good, one.name, one.took, one.answer ? to_text(*one.answer) : "no answer");
    text += log_lines(one.log);
  }
  if (!examined.findings.empty()) text += "\n";
  for (const Finding& finding : examined.findings) {
    text += fmt::format("{}: {}: {}\n", finding.kind, hook::printable(finding.where, kMaxName), finding.text);
  }
  text += fmt::format("\n{}{}, {}\n", counted(examined.cases.size(), "case"),
                      examined.at_once > 1 ? fmt::format(", {} requests at once", examined.at_once) : "",
                      examined.findings.empty() ? "nothing found" : counted(examined.findings.size(), "finding"));
  return text;
}

Json to_json(const Examined& examined) {
  Json json{{"ok", examined.findings.empty()}};
  if (examined.hello) json["hello"] = hello_json(*examined.hello);
  json["start_ms"] = rounded(examined.start);
  json["cases"] = Json::array();
  for (const CaseResult& one : examined.cases) {
    Json& row = json["cases"].emplace_back(Json{{"name", one.name}, {"took_ms", rounded(one.took)}});
    if (one.answer) row["reply"] = to_json(*one.answer);
    row["good"] = one.good;
    if (!one.log.empty()) row["log"] = one.log;
  }
  json["at_once"] = examined.at_once;
  if (!examined.log.empty()) json["log"] = examined.log;
  json["findings"] = Json::array();
  for (const Finding& finding : examined.findings) {
    json["findings"].push_back({{"kind", finding.kind}, {"where", finding.where}, {"text", finding.text}});
  }
  return json;
}

}  // namespace hooksmtpd::ctl
