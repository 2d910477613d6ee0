#include "daemon/ctl/hook/start_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "daemon/sys/error.h"
#include "daemon/sys/pair.h"

namespace hooksmtpd::ctl {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

void must_spawn(int error, std::string_view what) {
  if (error != 0) sys::throw_errno(what, error);
}

bool is_file(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_regular_file(path, none);
}

// What the error of an exec is about, where people would look in the wrong place.
std::string with_hint(const std::string& program, int error) {
  if (!is_file(program)) return program;
  if (error == EACCES) return fmt::format("{}: chmod +x makes it a program", program);
  if (error == ENOENT) return fmt::format("{}: the program in its first line", program);
  if (error == ENOEXEC) return fmt::format("{}: it needs a first line such as #!/usr/bin/env python3", program);
  return program;
}

struct Actions {
  Actions() { must_spawn(posix_spawn_file_actions_init(&actions), "posix_spawn"); }
  ~Actions() { posix_spawn_file_actions_destroy(&actions); }
  posix_spawn_file_actions_t actions;
};

struct Attributes {
  Attributes() { must_spawn(posix_spawnattr_init(&attributes), "posix_spawn"); }
  ~Attributes() { posix_spawnattr_destroy(&attributes); }
  posix_spawnattr_t attributes;
};

// Where a name without a slash is in PATH: that of the environment counts, not ours.
std::string find_program(const std::string& name, const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos) return name;
  for (const std::string& variable : environment) {
    if (!variable.starts_with("PATH=")) continue;
    std::string_view rest = std::string_view(variable).substr(5);
    while (!rest.empty()) {
      const std::string_view folder = rest.substr(0, rest.find(':'));
      const std::string path = fmt::format("{}/{}", folder, name);
      if (::access(path.c_str(), X_OK) == 0) return path;
      rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    }
  }
  const std::string_view here = is_file(name) ? " (did you mean the one here? write ./ in front)" : "";
  sys::throw_errno(fmt::format("{} is in no folder of the PATH that the daemon gives to hooks{}", name, here), ENOENT);
}

}  // namespace

Started start_program(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                      const std::filesystem::path& folder) {
  const std::string program = find_program(command.at(0), environment);
  sys::Pipe in = sys::make_pipe(), out = sys::make_pipe(), err = sys::make_pipe();
  Actions files;
  posix_spawn_file_actions_addchdir_np(&files.actions, folder.c_str());
  posix_spawn_file_actions_adddup2(&files.actions, in.read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files.actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files.actions, err.write.get(), STDERR_FILENO);
  // What we ignore the hook must not: a shell could not trap it.
  Attributes how;
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&how.attributes, &defaults);
  posix_spawnattr_setflags(&how.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &files.actions, &how.attributes, pointers(command).data(),
                                pointers(environment).data());
  must_spawn(error, with_hint(program, error));
  for (const sys::Fd* end : {&in.write, &out.read, &err.read}) {
    sys::must(::fcntl(end->get(), F_SETFL, O_NONBLOCK), "fcntl");
  }
  return {.pid = pid, .in = std::move(in.write), .out = std::move(out.read), .err = std::move(err.read)};
}

}  // namespace hooksmtpd::ctl
