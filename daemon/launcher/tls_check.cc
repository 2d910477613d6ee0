#include "daemon/launcher/tls_check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/launcher/helper.h"
#include "daemon/launcher/start_error.h"

namespace hooksmtpd::launcher {

std::vector<config::Problem> check_tls(const config::Config& config, const sys::Fd& keys, const Identities& identities,
                                       const Programs& programs) {
  if (!keys.valid()) return {};
  const std::string line = config::to_json(config::for_keyholder(config)) + "\n";
  const Helped said = run_dropped({.program = programs.tls, .arguments = {"judge"}, .input = line, .more = &keys},
                                  identities.keyholder);
  const auto answer = nlohmann::json::parse(said.output, nullptr, /*allow_exceptions=*/false);
  if (said.wait_status != 0 || !answer.is_object()) {
    throw StartError(EX_OSERR, fmt::format("{} judge {}", programs.tls.string(), failure_of(said.wait_status)));
  }
  std::vector<config::Problem> problems;
  for (const auto& one : answer.at("problems")) {
    problems.push_back(
        {.severity = one.at("severity") == "error" ? config::Severity::kError : config::Severity::kWarning,
         .where = {.file = one.at("file"), .line = one.at("line"), .column = one.at("column")},
         .text = one.at("text")});
  }
  return problems;
}

}  // namespace hooksmtpd::launcher
