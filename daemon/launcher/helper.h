// One of our own programs, run once by the launcher and already dropped: it looks at something on our behalf, and what
// it prints is all that comes back.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/launcher/drop.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

struct Helper {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::string_view input;         // its standard input
  const sys::Fd* more = nullptr;  // a memfd whose text follows; it is copied by the kernel, not by us
};

struct Helped {
  std::string output;
  int wait_status = 0;  // as wait(2) has it
};

// Gives it ten seconds and a megabyte of output. Standard error is ours. Throws std::system_error.
Helped run_dropped(const Helper& helper, const Identity& identity);

// "status 1", "signal 9", "may not be executed: chmod a+rx it and its libraries".
std::string failure_of(int wait_status);

}  // namespace hooksmtpd::launcher
