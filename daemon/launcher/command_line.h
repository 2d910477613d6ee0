// hooksmtpd run | check-config | check-sandbox | run-hook | tls init | passwd | sendmail | --version

#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "config/load.h"
#include "daemon/launcher/local_certificate.h"

namespace hooksmtpd::launcher {

struct CommandLine {
  enum class Command : std::uint8_t { kRun, kCheckConfig, kCheckSandbox, kRunHook, kTlsInit };
  Command command = Command::kRun;
  config::Request request;  // of all but tls init, without its Machine
  bool ephemeral = false;   // every port picked by the kernel; told as a line of JSON on standard output
  std::string hook;         // of run-hook: its name,
  std::vector<std::filesystem::path> read;  // and folders that it sees beside those of its configuration
  bool json = false;                        // of check-sandbox
  CertificateOrder certificate;             // of tls init; an empty folder: the default
};

// `passwd` and `sendmail` are programs of their own (programs.h): run_other_program() comes first, and they never get
// here. The error is an exit status: all is said (0: --help, --version), or the usage is wrong (EX_USAGE).
std::expected<CommandLine, int> parse_command_line(int argc, char** argv);

}  // namespace hooksmtpd::launcher
