#include "daemon/ctl/hook/places.h"

#include <algorithm>

namespace hooksmtpd::ctl {
namespace {

namespace fs = std::filesystem;

fs::path here() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

fs::path sdk_folder() {
  std::error_code error;
  for (const fs::path& folder : {here().parent_path() / "libexec/hooksmtpd/hooks/sdk",  // PREFIX/bin
                                 here().parent_path().parent_path() / "hooks/sdk"}) {   // BUILD/daemon/ctl
    if (fs::is_directory(folder, error)) return folder;
  }
  return {};
}

fs::path daemon_program() {
  const fs::path installed = here() / "hooksmtpd";
  return is_file(installed) ? installed : here().parent_path() / "launcher/hooksmtpd";  // BUILD/daemon
}

std::vector<std::string> anywhere(std::vector<std::string> command) {
  for (std::size_t i = 0; i < command.size(); ++i) {
    // A program without a slash is looked for in PATH.
    const bool path = i > 0 || command[i].find('/') != std::string::npos;
    if (path && !command[i].starts_with('/') && is_file(command[i])) command[i] = fs::absolute(command[i]).string();
  }
  return command;
}

std::string name_of(const std::vector<std::string>& command) {
  const auto script =
      std::ranges::find_if(command.begin() + 1, command.end(), [](const auto& word) { return is_file(word); });
  const fs::path program = script != command.end() ? *script : command.front();
  const std::string name = program.stem().string();
  return name.empty() ? "hook" : name;
}

}  // namespace hooksmtpd::ctl
