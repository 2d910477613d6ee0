// Our own programs, and what the configuration's defaults need to know of this machine.

#pragma once

#include <filesystem>

#include "config/defaults.h"

namespace hooksmtpd::launcher {

struct Programs {
  std::filesystem::path self;  // this program
  std::filesystem::path worker;
  std::filesystem::path maildir;  // the ready-made hook
};

// They lie where this program lies: installed PREFIX/bin and PREFIX/libexec/hooksmtpd, or in one build tree. Throws
// StartError.
Programs find_programs();

config::Machine describe_machine(const Programs& programs);

}  // namespace hooksmtpd::launcher
