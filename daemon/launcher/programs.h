// Our own programs, and what the configuration's defaults need to know of this machine.

#pragma once

#include <filesystem>
#include <optional>

#include "config/defaults.h"

namespace hooksmtpd::launcher {

struct Programs {
  std::filesystem::path self;  // this program
  std::filesystem::path worker, keyholder;
  std::filesystem::path tls;               // judges and makes certificates
  std::filesystem::path passwd, sendmail;  // what the subcommands of these names are
  std::filesystem::path hooks;             // the folder of those that come with us
  bool in_build_tree = false;
};

// They lie where this program lies: installed PREFIX/bin and PREFIX/libexec/hooksmtpd, or in one build tree. Throws
// StartError.
Programs find_programs();

// Where the first argument is `passwd` or `sendmail`: becomes that program, with what is left of the arguments, and
// returns only if it cannot be executed, with an exit status. Else empty.
std::optional<int> run_other_program(const Programs& programs, int argc, char** argv);

// The folder of the SDKs, one file each: HOOK_SDK of every hook.
std::filesystem::path sdk_folder(const Programs& programs);

config::Machine describe_machine(const Programs& programs);

}  // namespace hooksmtpd::launcher
