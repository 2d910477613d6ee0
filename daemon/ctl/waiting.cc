#include "daemon/ctl/waiting.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <CLI/CLI.hpp>

#include "config/spelling.h"

namespace hooksmtpd::ctl {

void Waiting::add_timeout_to(CLI::App& app) {
  app.add_option("--timeout", timeout, "give up after this time (30s)")->type_name("TIME");
}

void Waiting::add_command_to(CLI::App& app) {
  app.add_option("COMMAND", command, "behind --: run it once nothing can be missed; it must not fail");
}

std::expected<Listening::Clock::time_point, Failure> Waiting::deadline() const {
  const auto limit = config::parse_duration(timeout, config::Milliseconds(0), std::chrono::hours(24));
  if (!limit) return std::unexpected(Failure{EX_USAGE, "usage", "--timeout " + limit.error()});
  return Listening::Clock::now() + *limit;
}

std::expected<void, Failure> Waiting::begin(Listening& listening) const {
  if (command.empty()) return {};
  return listening.run(command);
}

std::string command_failure(Listening& listening) {
  const auto status = listening.command_status();
  if (!status || *status == 0) return {};
  return fmt::format("the command failed: {} {}", *status > 128 ? "signal" : "status",
                     *status > 128 ? *status - 128 : *status);
}

std::expected<std::string, Failure> let_command_end(Listening& listening, Listening::Deadline deadline) {
  while (listening.command_runs()) {
    const auto event = listening.next(deadline);
    if (!event) return std::unexpected(event.error());
    if (*event == Listening::Event::kTime) return "the command still runs";
  }
  return command_failure(listening);
}

}  // namespace hooksmtpd::ctl
