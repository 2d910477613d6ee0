// Which files a program needs to run: what the launcher binds into its jail.

#pragma once

#include <string>
#include <vector>

namespace hooksmtpd::sys {

// Absolute names, as the dynamic linker used them: the program that calls this, its libraries, and the linker itself.
std::vector<std::string> mapped_files();

}  // namespace hooksmtpd::sys
