// Starts a program at the other end of three pipes, in a session of its own.

#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/sys/fd.h"

namespace hooksmtpd::ctl {

struct Started {
  pid_t pid;
  sys::Fd in, out, err;  // our ends of its standard input, output and error; non-blocking
};

// The program is looked for in the PATH of `environment` if its name has no slash. Throws std::system_error.
Started start_program(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                      const std::filesystem::path& folder);

}  // namespace hooksmtpd::ctl
