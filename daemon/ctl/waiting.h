// What wait, expect and hook record have in common: a time limit, and a command behind `--` whose mail they are about.

#pragma once

#include <expected>
#include <string>
#include <vector>

#include "daemon/ctl/listening.h"

namespace CLI {
class App;
}

namespace hooksmtpd::ctl {

struct Waiting {
  std::string timeout = "30s";
  std::vector<std::string> command{};

  void add_timeout_to(CLI::App& app);
  // The last positional of `app`.
  void add_command_to(CLI::App& app);

  std::expected<Listening::Clock::time_point, Failure> deadline() const;
  // Runs the command, where there is one.
  std::expected<void, Failure> begin(Listening& listening) const;
};

// "the command failed: status 3"; empty: it has not failed.
std::string command_failure(Listening& listening);

// What was waited for has come: the command may still be at work, and must not fail either. Empty: all is well.
std::expected<std::string, Failure> let_command_end(Listening& listening, Listening::Deadline deadline);

}  // namespace hooksmtpd::ctl
