#include "daemon/launcher/helper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "daemon/launcher/file_identity.h"
#include "daemon/sys/descriptors.h"
#include "daemon/sys/error.h"
#include "daemon/sys/memfd.h"
#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

using sys::Fd;
using sys::must;

constexpr std::size_t kMaxOutput = 1024 * 1024;
constexpr std::chrono::seconds kLimit(10);
constexpr int kAbove = 10;  // where nothing of ours is overwritten

int out_of_the_way(const Fd& fd) { return must(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kAbove), "fcntl"); }

// In the child; never returns. By descriptor: the folder of the program may be closed to its new uid.
[[noreturn]] void become(const Helper& helper, const Fd& program_at, const Fd& input, const Fd& output,
                         const Identity& identity) try {
  const int program = out_of_the_way(program_at);
  const int in = out_of_the_way(input);
  const int out = out_of_the_way(output);
  must(::dup2(in, STDIN_FILENO), "dup2");
  must(::dup2(out, STDOUT_FILENO), "dup2");
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  drop_to(identity);
  const std::string name = helper.program.filename();
  std::vector<char*> argv{const_cast<char*>(name.c_str())};
  for (const std::string& argument : helper.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  ::execveat(program, "", argv.data(), environment.data(), AT_EMPTY_PATH);
  ::_exit(errno == EACCES ? EX_NOPERM : EX_OSERR);
} catch (const std::exception&) {
  ::_exit(EX_OSERR);
}

Fd input_of(const Helper& helper) {
  Fd input = sys::make_memfd("hooksmtpd-input");
  const std::string_view text = helper.input;
  const ssize_t written = must(::write(input.get(), text.data(), text.size()), "write to a memfd");
  if (static_cast<std::size_t>(written) != text.size()) sys::throw_errno("write to a memfd", ENOSPC);
  struct stat more{};
  if (helper.more != nullptr) must(::fstat(helper.more->get(), &more), "fstat");
  off_t at = 0;
  while (at < more.st_size) {
    const auto left = static_cast<std::size_t>(more.st_size - at);
    if (must(::sendfile(input.get(), helper.more->get(), &at, left), "sendfile") == 0) break;
  }
  must(::lseek(input.get(), 0, SEEK_SET), "lseek");
  return input;
}

enum class End { kOfFile, kOfPatience };

// Everything until EOF, or until it is too much or takes too long.
End read_output(const Fd& pipe, std::string& text) {
  std::array<char, 4096> piece;
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (text.size() < kMaxOutput) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd one{.fd = pipe.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&one, 1, static_cast<int>(left.count())) <= 0) break;
    const ssize_t got = ::read(pipe.get(), piece.data(), piece.size());
    if (got <= 0) return End::kOfFile;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return End::kOfPatience;
}

}  // namespace

Helped run_dropped(const Helper& helper, const Identity& identity) {
  const Fd program = open_path(helper.program);
  const Fd input = input_of(helper);
  sys::Pipe pipe = sys::make_pipe();
  const pid_t pid = must(::fork(), "fork");
  if (pid == 0) become(helper, program, input, pipe.write, identity);
  pipe.write.reset();
  Helped helped;
  if (read_output(pipe.read, helped.output) == End::kOfPatience) ::kill(pid, SIGKILL);
  while (::waitpid(pid, &helped.wait_status, 0) < 0 && errno == EINTR) {
  }
  return helped;
}

std::string failure_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) return fmt::format("ended by signal {}", WTERMSIG(wait_status));
  if (WEXITSTATUS(wait_status) == EX_NOPERM) return "may not be executed: chmod a+rx it and its libraries";
  return fmt::format("ended with status {}", WEXITSTATUS(wait_status));
}

}  // namespace hooksmtpd::launcher
