// hooksmtpd run | check-config | --version

#pragma once

#include <cstdint>
#include <expected>

#include "config/load.h"

namespace hooksmtpd::launcher {

struct CommandLine {
  enum class Command : std::uint8_t { kRun, kCheckConfig };
  Command command = Command::kRun;
  config::Request request;  // without its Machine
  bool ephemeral = false;   // every port picked by the kernel; told as a line of JSON on standard output
};

// The error is an exit status: all is said (0: --help, --version), or the usage is wrong (EX_USAGE).
std::expected<CommandLine, int> parse_command_line(int argc, char** argv);

}  // namespace hooksmtpd::launcher
