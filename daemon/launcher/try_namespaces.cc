#include "daemon/launcher/try_namespaces.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <system_error>

#include "daemon/launcher/clone.h"
#include "daemon/launcher/jail.h"
#include "daemon/launcher/mounts.h"
#include "daemon/sys/error.h"
#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

bool is_root() { return ::geteuid() == 0; }

// In the child; never returns.
[[noreturn]] void try_inside(void (*act)(), const sys::Fd& out, const Identity& self) {
  std::string why;
  try {
    if (!is_root()) map_own_user(self);
    act();
  } catch (const std::exception& error) {
    why = error.what();
  }
  [[maybe_unused]] const ssize_t told = ::write(out.get(), why.data(), why.size());
  ::_exit(0);
}

std::string try_it(Namespaces namespaces, void (*act)()) {
  const Identity self{.uid = ::getuid(), .gid = ::getgid(), .name = {}};
  sys::Pipe pipe = sys::make_pipe();
  pid_t child = -1;
  try {
    child = clone_process(is_root() ? namespaces : namespaces | Namespaces::kUser);
  } catch (const std::system_error& error) {
    return fmt::format("{}namespaces: {}", is_root() ? "" : "user ", sys::errno_text(error.code().value()));
  }
  if (child == 0) try_inside(act, pipe.write, self);
  pipe.write.reset();
  std::array<char, 1024> why{};
  const ssize_t got = ::read(pipe.read.get(), why.data(), why.size());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return "the process that tried it has died";
  return std::string(why.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
}

void enter_some_jail() {
  own_mount_namespace();
  enter({.binds = {{.path = "/usr"}, {.path = "/dev/null", .access = Jail::Access::kDevice}},
         .files = {},
         .links = {},
         .temporary_folder = true,
         .processes = true});
}

}  // namespace

std::string why_no_jail() { return try_it(Namespaces::kMount | Namespaces::kPid, enter_some_jail); }

std::string why_no_namespaces() {
  return try_it(Namespaces::kNetwork | Namespaces::kIpc | Namespaces::kUts, [] {});
}

}  // namespace hooksmtpd::launcher
