#include "daemon/launcher/command_check.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "daemon/launcher/environment.h"
#include "daemon/launcher/file_identity.h"
#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;
using sys::Fd;

constexpr int kMaxInterpreters = 5;  // as the kernel follows "#!" (BINPRM_MAX_RECURSION is 4)

std::string not_there(const std::string& path, Seen seen) {
  std::error_code no_link;
  const fs::path target = fs::read_symlink(path, no_link);
  std::string text = no_link ? fmt::format("{}: no such file", path)
                             : fmt::format("{} is a symbolic link to {}, which does not exist", path, target.string());
  if (seen == Seen::kFromJail) text += " in the hook's jail; sandbox.read = [\"FOLDER\"] shows it more folders";
  return text;
}

// Names the folder that is closed: in a jail that is the command's own, for the jail has made those above it.
std::string why_not_reached(const std::string& path, int error) {
  fs::path folder = "/";
  for (const fs::path& part : fs::path(path).parent_path().relative_path()) {
    folder /= part;
    if (::access(folder.c_str(), X_OK) == 0) continue;
    return fmt::format(
        "{}: the folder {} is closed to uid {}: chmod a+x it, or move the hook to a folder of its own, or "
        "run it as the folder's owner (user = \"...\")",
        path, folder.string(), ::getuid());
  }
  return fmt::format("{}: {}", path, sys::errno_text(error));
}

std::string why_not_a_program(const std::string& path, Seen seen) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return not_there(path, seen);
    return why_not_reached(path, errno);
  }
  if (!S_ISREG(status.st_mode)) return fmt::format("{} is not a file", path);
  if ((status.st_mode & 0111) == 0) return fmt::format("{} is not executable: chmod +x {}", path, path);
  if (::access(path.c_str(), X_OK) != 0) {
    return fmt::format("{} may not be executed by uid {}: chmod a+rx {}", path, ::getuid(), path);
  }
  return {};
}

std::string find_in_path(const std::string& name) {
  std::istringstream folders{std::string(kPath)};
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    const std::string path = folder + "/" + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

// The program that "#!/usr/bin/env [-S] [-options] [NAME=value] program" runs.
std::string program_of_env(std::istringstream& words) {
  std::string word;
  while (words >> word) {
    if (!word.starts_with('-') && !word.contains('=')) return word;
  }
  return {};
}

// The ELF interpreter that a 64-bit program asks for; empty for a static one.
std::string elf_interpreter(const Fd& file, const char* head) {
  Elf64_Ehdr header;
  std::memcpy(&header, head, sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return {};
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    const off_t at = static_cast<off_t>(header.e_phoff + i * sizeof part);
    if (::pread(file.get(), &part, sizeof part, at) != sizeof part) return {};
    if (part.p_type != PT_INTERP) continue;
    std::array<char, 256> name{};
    const std::size_t length = std::min<std::size_t>(part.p_filesz, name.size() - 1);
    if (::pread(file.get(), name.data(), length, static_cast<off_t>(part.p_offset)) < 0) return {};
    return name.data();
  }
  return {};
}

// The next program that has to be there to run `path`, or what is wrong with `path`.
struct Next {
  std::string interpreter;
  std::string wrong;
};

Next interpreter_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> head{};
  if (!file.valid()) {
    // An ELF program may be executed without being read; a script may not. The kernel will tell.
    return {};
  }
  const ssize_t length = ::pread(file.get(), head.data(), head.size() - 1, 0);
  if (length >= static_cast<ssize_t>(sizeof(Elf64_Ehdr)) && std::memcmp(head.data(), ELFMAG, SELFMAG) == 0) {
    return {.interpreter = elf_interpreter(file, head.data()), .wrong = {}};
  }
  const std::string_view text(head.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  if (!text.starts_with("#!")) {
    return {.interpreter = {},
            .wrong = fmt::format("{} is neither a program nor a script with \"#!\" in its first line", path)};
  }
  const std::string line(text.substr(2, text.find('\n') - 2));
  if (line.ends_with('\r')) {
    return {.interpreter = {}, .wrong = fmt::format("{}: its first line ends with CR LF: dos2unix {}", path, path)};
  }
  std::istringstream words(line);
  std::string interpreter;
  words >> interpreter;
  if (interpreter.empty()) return {.interpreter = {}, .wrong = fmt::format("{}: \"#!\" names nothing", path)};
  if (fs::path(interpreter).filename() != "env" || ::access(interpreter.c_str(), X_OK) != 0) {
    return {.interpreter = interpreter, .wrong = {}};
  }
  const std::string program = program_of_env(words);
  const std::string found = program.contains('/') ? program : find_in_path(program);
  if (!program.empty() && found.empty()) {
    return {.interpreter = {},
            .wrong = fmt::format("{}: its first line asks for {}, which is not in {}", path, program, kPath)};
  }
  return {.interpreter = found, .wrong = {}};
}

}  // namespace

std::string why_not_trusted(const std::string& program, const std::set<uid_t>& trusted) {
  struct stat file{};
  struct stat folder{};
  try {
    const Fd opened = open_path(program);
    const Fd above = open_path(fs::path(program).parent_path());
    if (::fstat(opened.get(), &file) != 0 || ::fstat(above.get(), &folder) != 0) sys::throw_errno(program);
  } catch (const std::system_error& error) {
    return error.what();
  }
  if (!trusted.contains(file.st_uid)) {
    return fmt::format("{} belongs to uid {}, who could change it: chown root {}, or user = \"...\" in its sandbox",
                       program, file.st_uid, program);
  }
  if ((file.st_mode & S_IWOTH) != 0 || ((file.st_mode & S_IWGRP) != 0 && file.st_gid != 0)) {
    return fmt::format("{} can be written by others than its owner: chmod go-w {}", program, program);
  }
  if ((file.st_mode & (S_ISUID | S_ISGID)) != 0) {
    return fmt::format("{} is set-user-id or set-group-id, which has no effect here: chmod ug-s {}", program, program);
  }
  if (!trusted.contains(folder.st_uid)) {
    return fmt::format(
        "{} lies in a folder of uid {}, who may replace it: chown root {}, or user = \"...\" in its sandbox", program,
        folder.st_uid, fs::path(program).parent_path().string());
  }
  if ((folder.st_mode & S_IWGRP) != 0 && folder.st_gid != 0 && (folder.st_mode & S_ISVTX) == 0) {
    return fmt::format("{} lies in a folder where its group may replace it: chmod g-w {}", program,
                       fs::path(program).parent_path().string());
  }
  if ((folder.st_mode & S_IWOTH) != 0 && (folder.st_mode & S_ISVTX) == 0) {
    return fmt::format("{} lies in a folder where everybody may replace it: chmod o-w {}", program,
                       fs::path(program).parent_path().string());
  }
  return {};
}

std::string why_not_executable(const std::string& program, Seen seen) {
  std::string path = program;
  for (int depth = 0; depth < kMaxInterpreters; ++depth) {
    if (const std::string wrong = why_not_a_program(path, seen); !wrong.empty()) {
      return depth == 0 ? wrong : fmt::format("{} is to be run by {}: {}", program, path, wrong);
    }
    Next next = interpreter_of(path);
    if (!next.wrong.empty() || next.interpreter.empty()) return next.wrong;
    path = std::move(next.interpreter);
  }
  return fmt::format("{}: too many interpreters run each other", program);
}

std::string why_not_writable(const fs::path& folder) {
  if (::access(folder.c_str(), W_OK | X_OK) == 0) {
    std::error_code error;
    if (fs::is_directory(folder, error)) return {};
    return fmt::format("sandbox.write: {} is not a folder", folder.string());
  }
  if (errno == ENOENT) return fmt::format("sandbox.write: {} is not there: mkdir {}", folder.string(), folder.string());
  return fmt::format(
      "sandbox.write: {0} cannot be written by uid {1}, as whom the hook runs: chown {1} {0}, or name "
      "the folder's owner as sandbox.user",
      folder.string(), ::getuid());
}

std::optional<std::string> script_of(const std::vector<std::string>& command) {
  constexpr std::array<std::string_view, 14> kInterpreters{"python", "node", "sh",  "bash", "dash",  "zsh",  "perl",
                                                           "ruby",   "php",  "lua", "awk",  "tclsh", "deno", "bun"};
  std::string name = fs::path(command.front()).filename().string();
  name.erase(std::min(name.find_first_of("0123456789."), name.size()));  // "python3.11"
  if (std::ranges::find(kInterpreters, name) == kInterpreters.end()) return std::nullopt;
  for (std::size_t i = 1; i < command.size(); ++i) {
    if (!command[i].starts_with('/')) continue;
    struct stat status{};
    return ::stat(command[i].c_str(), &status) == 0 && S_ISREG(status.st_mode) ? std::optional(command[i])
                                                                               : std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> missing_arguments(const std::vector<std::string>& command) {
  std::vector<std::string> missing;
  for (std::size_t i = 1; i < command.size(); ++i) {
    if (!command[i].starts_with('/') || ::access(command[i].c_str(), F_OK) == 0) continue;
    missing.push_back(command[i]);
  }
  return missing;
}

}  // namespace hooksmtpd::launcher
