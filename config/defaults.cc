#include "config/defaults.h"

#include <fmt/format.h>

#include "config/ready_made.h"
#include "config/spelling.h"
#include "config/tables.h"

namespace hooksmtpd::config {
namespace {

// An absolute path from the environment; what is relative is to be ignored (XDG Base Directory Specification).
std::filesystem::path folder_from(const Machine& machine, const char* variable) {
  const auto found = machine.environment.find(variable);
  if (found == machine.environment.end() || !found->second.starts_with('/')) return {};
  return std::filesystem::path(found->second).lexically_normal();
}

std::filesystem::path state_dir(const Machine& machine) {
  if (machine.uid == 0) return "/var/lib/hooksmtpd";
  if (const auto folder = folder_from(machine, "XDG_STATE_HOME"); !folder.empty()) return folder / "hooksmtpd";
  if (const auto home = folder_from(machine, "HOME"); !home.empty()) return home / ".local/state/hooksmtpd";
  // Nothing is left but a shared folder; whoever makes this one checks that it is the user's own.
  return fmt::format("/tmp/hooksmtpd-{}", machine.uid);
}

std::filesystem::path runtime_dir(const Machine& machine) {
  if (machine.uid == 0) return "/run/hooksmtpd";
  if (const auto folder = folder_from(machine, "XDG_RUNTIME_DIR"); !folder.empty()) return folder / "hooksmtpd";
  return state_dir(machine) / "run";
}

}  // namespace

Listener default_listener(const Machine& machine) {
  const int port = machine.uid == 0 ? 25 : 1025;  // below 1024 a plain user may not bind
  return {.name = "smtp", .address = {fmt::format("127.0.0.1:{}", port), fmt::format("[::1]:{}", port)}, .source = {}};
}

Config defaults(const Machine& machine) {
  Config config;
  config.hostname = is_hostname(machine.hostname) ? machine.hostname : "localhost";
  config.listeners = {default_listener(machine)};
  config.state_dir = state_dir(machine);
  config.runtime_dir = runtime_dir(machine);

  Hook inbox = made_ready(*find_ready_made("inbox"), machine);
  inbox.name = "inbox";
  config.hooks = {std::move(inbox)};
  return config;
}

}  // namespace hooksmtpd::config
