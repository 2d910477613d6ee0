#include "daemon/launcher/mapped_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <sstream>
#include <string>

#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/descriptors.h"
#include "daemon/sys/error.h"
#include "daemon/sys/pair.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;
using sys::Fd;

constexpr std::size_t kMaxOutput = 64 * 1024;
constexpr std::chrono::seconds kLimit(10);

// In the child; never returns. By descriptor: the folder of the program may be closed to its new uid.
[[noreturn]] void become_worker(const Fd& program, const Fd& output, const Identity& identity) try {
  sys::standard_descriptors_to_null();
  sys::must(::dup2(output.get(), STDOUT_FILENO), "dup2");
  drop_to(identity);
  std::array<char*, 3> argv{const_cast<char*>("worker"), const_cast<char*>("--mapped-files"), nullptr};
  std::array<char*, 1> environment{nullptr};
  ::execveat(program.get(), "", argv.data(), environment.data(), AT_EMPTY_PATH);
  ::_exit(errno == EACCES ? EX_NOPERM : EX_OSERR);
} catch (const std::exception&) {
  ::_exit(EX_SOFTWARE);
}

// Everything until EOF, or until it is too much or takes too long.
std::string read_output(const Fd& pipe) {
  std::string text;
  std::array<char, 4096> piece;
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (text.size() < kMaxOutput) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd one{.fd = pipe.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&one, 1, static_cast<int>(left.count())) <= 0) break;
    const ssize_t got = ::read(pipe.get(), piece.data(), piece.size());
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

std::vector<fs::path> mapped_files(const fs::path& worker, const Identity& identity) {
  const Fd program = open_path(worker);
  sys::Pipe pipe = sys::make_pipe();
  const pid_t pid = sys::must(::fork(), "fork");
  if (pid == 0) become_worker(program, pipe.write, identity);
  pipe.write.reset();
  const std::string text = read_output(pipe.read);
  ::kill(pid, SIGKILL);  // it has nothing more to say
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }

  std::vector<fs::path> files;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('/')) continue;
    files.emplace_back(line);
  }
  if (files.empty()) {
    const bool closed = WIFEXITED(status) && WEXITSTATUS(status) == EX_NOPERM;
    throw StartError(EX_OSERR, fmt::format("{} --mapped-files, as uid {}, {}", worker.string(), identity.uid,
                                           closed ? "may not be executed: chmod a+rx it and its libraries"
                                                  : fmt::format("printed no names (wait status {})", status)));
  }
  return files;
}

}  // namespace hooksmtpd::launcher
