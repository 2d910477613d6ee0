#include "daemon/launcher/hook_check.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "daemon/launcher/clone.h"
#include "daemon/launcher/command_check.h"
#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/keepers.h"
#include "daemon/launcher/start_error.h"
#include "daemon/launcher/views.h"
#include "daemon/sys/descriptors.h"
#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

using config::Problem;
using config::Severity;

std::optional<uid_t> owner_of(const std::filesystem::path& path) {
  try {
    const sys::Fd place = open_path(path);
    struct stat status{};
    if (::fstat(place.get(), &status) == 0) return status.st_uid;
  } catch (const std::system_error&) {
  }
  return std::nullopt;
}

// Who may change a hook's program: root, the user it runs as, and whoever could as well change what it is to do: the
// owner of the configuration that names it, and of the daemon itself.
std::set<uid_t> trusted_with(const config::Hook& hook, const Identity& identity, const Programs& programs) {
  std::set<uid_t> trusted{0, ::geteuid()};
  if (!hook.sandbox.user.empty()) trusted.insert(identity.uid);
  if (const auto owner = owner_of(programs.self)) trusted.insert(*owner);
  if (!hook.source.file.empty()) {
    if (const auto owner = owner_of(hook.source.file)) trusted.insert(*owner);
  }
  return trusted;
}

// What the process in the jail says: one line a problem, "E" or "W" before the text.
void say(const sys::Fd& out, char kind, const std::string& text) {
  const std::string line = fmt::format("{}{}\n", kind, text);
  [[maybe_unused]] const ssize_t told = ::write(out.get(), line.data(), line.size());
}

// In a process of its own; never returns.
[[noreturn]] void look_from_inside(const config::Hook& hook, const Identity& identity, const std::optional<Jail>& jail,
                                   Namespaces own, const sys::Fd& out) try {
  const std::array kept{out.get()};
  sys::close_all_but(kept);
  if (has(own, Namespaces::kUser)) map_own_user(identity);
  if (jail) enter(*jail);
  drop_to(identity);
  const Seen seen = jail ? Seen::kFromJail : Seen::kFromHere;
  std::string wrong = why_not_executable(hook.command.front(), seen);
  if (wrong.empty() && hook.line_buffer) wrong = why_not_executable(hook.argv().front(), seen);
  for (const std::filesystem::path& folder : hook.sandbox.write) {
    if (wrong.empty()) wrong = why_not_writable(folder);
  }
  if (!wrong.empty()) {
    say(out, 'E', wrong);
  } else {
    for (const std::string& argument : missing_arguments(hook.command)) {
      say(out, 'W',
          fmt::format("its argument {} names no file{}", argument,
                      jail ? " in the hook's jail; sandbox.read = [\"FOLDER\"] shows it more folders" : ""));
    }
  }
  ::_exit(EX_OK);
} catch (const std::exception& error) {
  say(out, 'E', error.what());
  ::_exit(EX_OSERR);
}

std::vector<Problem> try_command(const config::Hook& hook, const Identity& identity, const std::optional<Jail>& jail,
                                 Namespaces own) {
  sys::Pipe pipe = sys::make_pipe();
  const pid_t pid = clone_process(own);
  if (pid == 0) look_from_inside(hook, identity, jail, own, pipe.write);
  pipe.write.reset();
  std::string text;
  std::array<char, 4096> piece;
  for (ssize_t got = 0; (got = ::read(pipe.read.get(), piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  ::waitpid(pid, &status, 0);

  std::vector<Problem> problems;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    problems.push_back({.severity = line[0] == 'W' ? Severity::kWarning : Severity::kError,
                        .where = hook.command_source,
                        .text = fmt::format("hook {}: {}", hook.name, line.substr(1))});
  }
  if (problems.empty() && status != 0) {
    problems.push_back(
        {.where = hook.command_source, .text = fmt::format("hook {}: its command could not be tried", hook.name)});
  }
  return problems;
}

}  // namespace

std::vector<Problem> check_hooks(const config::Config& config, const Identities& identities, const Programs& programs,
                                 const Layers& layers) {
  std::vector<Problem> problems;
  const Namespaces own = namespaces(layers, config::NetworkAccess::kHost);  // a network is of no use here
  for (std::size_t i = 0; i < config.hooks.size(); ++i) {
    const config::Hook& hook = config.hooks[i];
    const Identity& identity = identities.hooks[i];
    const std::set<uid_t> trusted = trusted_with(hook, identity, programs);
    std::string why = why_not_trusted(hook.command.front(), trusted);
    if (const auto script = script_of(hook.command); why.empty() && script) why = why_not_trusted(*script, trusted);
    if (!why.empty()) {
      problems.push_back({.where = hook.command_source, .text = fmt::format("hook {}: {}", hook.name, why)});
      continue;
    }
    std::optional<Jail> jail;
    if (layers.has(Layer::Kind::kJails))
      jail = hook_jail(config, hook, {.identity = identity, .sdk = sdk_folder(programs), .view = View::kProgramOnly});
    for (Problem& problem : try_command(hook, identity, jail, own)) problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace hooksmtpd::launcher
