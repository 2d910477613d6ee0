#include "daemon/launcher/programs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <string_view>

#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  try {
    return open_path(path).valid();
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace

Programs find_programs() {
  std::array<char, PATH_MAX> name;
  const ssize_t length = ::readlink("/proc/self/exe", name.data(), name.size());
  if (length < 0) throw StartError(EX_OSERR, "/proc/self/exe cannot be read: is /proc mounted?");
  const fs::path self(std::string(name.data(), static_cast<std::size_t>(length)));
  const fs::path folder = self.parent_path();

  const fs::path installed = folder.parent_path() / "libexec/hooksmtpd";
  if (is_there(installed / "worker")) {
    return {.self = self,
            .worker = installed / "worker",
            .keyholder = installed / "keyholder",
            .tls = installed / "tls",
            .passwd = installed / "passwd",
            .sendmail = installed / "sendmail",
            .hooks = installed / "hooks"};
  }
  const fs::path built = folder.parent_path().parent_path();
  if (is_there(built / "daemon/worker/worker")) {
    return {.self = self,
            .worker = built / "daemon/worker/worker",
            .keyholder = built / "daemon/keyholder/keyholder",
            .tls = built / "daemon/tls/tls",
            .passwd = built / "daemon/passwd/passwd",
            .sendmail = built / "daemon/sendmail/sendmail",
            .hooks = built / "hooks",
            .in_build_tree = true};
  }
  throw StartError(EX_UNAVAILABLE,
                   fmt::format("the worker program is missing: neither {} nor {}", (installed / "worker").string(),
                               (built / "daemon/worker/worker").string()));
}

std::optional<int> run_other_program(const Programs& programs, int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  const fs::path* program = nullptr;
  if (command == "passwd") program = &programs.passwd;
  if (command == "sendmail") program = &programs.sendmail;
  if (program == nullptr) return std::nullopt;
  ::execv(program->c_str(), argv + 1);
  fmt::print(stderr, "hooksmtpd: {}: {}\n", program->string(), sys::errno_text(errno));
  return EX_UNAVAILABLE;
}

fs::path sdk_folder(const Programs& programs) { return programs.hooks / "sdk"; }

config::Machine describe_machine(const Programs& programs) {
  config::Machine machine{.hostname = {},
                          .uid = ::geteuid(),
                          .environment = {},
                          .hooks = programs.hooks,
                          .in_build_tree = programs.in_build_tree};
  std::array<char, HOST_NAME_MAX + 1> hostname{};
  if (::gethostname(hostname.data(), hostname.size() - 1) == 0) machine.hostname = hostname.data();
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view variable(*one);
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = variable.substr(0, equals);
    if (key.starts_with("HOOKSMTPD_") || key == "HOME" || key == "XDG_STATE_HOME" || key == "XDG_RUNTIME_DIR") {
      machine.environment.emplace(key, variable.substr(equals + 1));
    }
  }
  return machine;
}

}  // namespace hooksmtpd::launcher
