// Which files this program needs to run: what the launcher binds into the worker's jail.

#pragma once

#include <string>
#include <vector>

namespace hooksmtpd::worker {

// Absolute names, as the dynamic linker used them: the program, its libraries, and the linker itself.
std::vector<std::string> mapped_files();

}  // namespace hooksmtpd::worker
