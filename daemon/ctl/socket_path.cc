#include "daemon/ctl/socket_path.h"

#include <unistd.h>

#include <cstdlib>
#include <system_error>

#include "config/defaults.h"

namespace hooksmtpd::ctl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "control.sock";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

fs::path default_of(uid_t uid) {
  config::Machine machine;
  machine.uid = uid;
  for (const char* name : {"HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
    if (const std::string value = variable(name); !value.empty()) machine.environment.emplace(name, value);
  }
  return config::defaults(machine).runtime_dir / kName;
}

}  // namespace

fs::path socket_path(const std::string& option) {
  if (!option.empty()) return option;
  if (const std::string path = variable("HOOKSMTPD_CONTROL"); !path.empty()) return path;
  if (const std::string folder = variable("HOOKSMTPD_RUNTIME_DIR"); !folder.empty()) return fs::path(folder) / kName;
  const fs::path own = default_of(::geteuid());
  const fs::path system = default_of(0);
  std::error_code error;
  return !fs::exists(own, error) && fs::exists(system, error) ? system : own;
}

}  // namespace hooksmtpd::ctl
