// Which files one of our programs needs in its jail: asked of the program itself, `worker --mapped-files`.

#pragma once

#include <filesystem>
#include <vector>

#include "daemon/launcher/drop.h"

namespace hooksmtpd::launcher {

// Runs the program, already dropped to `identity`, and reads the absolute names that it prints: itself, its libraries
// and the ELF interpreter, by the names under which they were found. Throws StartError.
std::vector<std::filesystem::path> mapped_files(const std::filesystem::path& program, const Identity& identity);

}  // namespace hooksmtpd::launcher
