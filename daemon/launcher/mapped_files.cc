#include "daemon/launcher/mapped_files.h"

#include <fmt/format.h>

#include <sstream>
#include <string>

#include "daemon/launcher/helper.h"
#include "daemon/launcher/start_error.h"

namespace hooksmtpd::launcher {

std::vector<std::filesystem::path> mapped_files(const std::filesystem::path& program, const Identity& identity) {
  const Helped said =
      run_dropped({.program = program, .arguments = {"--mapped-files"}, .input = {}, .more = nullptr}, identity);
  std::vector<std::filesystem::path> files;
  std::istringstream lines(said.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('/')) files.emplace_back(line);
  }
  if (files.empty()) {
    throw StartError(EX_OSERR, fmt::format("{} --mapped-files, as uid {}, {}", program.string(), identity.uid,
                                           failure_of(said.wait_status)));
  }
  return files;
}

}  // namespace hooksmtpd::launcher
