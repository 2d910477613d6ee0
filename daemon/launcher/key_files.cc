#include "daemon/launcher/key_files.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/error.h"
#include "daemon/sys/key_files.h"
#include "daemon/sys/memfd.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;

std::set<fs::path> files_of(const config::Tls& tls) {
  std::set<fs::path> files;
  for (const config::Certificate& certificate : tls.certificates) {
    for (const fs::path& file : {certificate.key, certificate.key_password_file}) {
      if (!file.empty()) files.insert(file);
    }
  }
  return files;
}

// errno, or 0 and the file's text in `text`.
int read_file(const fs::path& path, std::string& text) {
  const Owner reader = reader_of(path);
  const FileIdentity as(reader.uid, reader.gid);
  const sys::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));  // a FIFO must not block us
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  std::array<char, 4096> piece;
  for (ssize_t got = 0; (got = ::read(file.get(), piece.data(), piece.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (text.size() + static_cast<std::size_t>(got) > sys::kLargestKeyFile) return EFBIG;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return 0;
}

sys::KeyFile read_key_file(const fs::path& path) try {
  sys::KeyFile file{.path = path, .error = 0, .text = {}};
  file.error = read_file(path, file.text);
  if (file.error != 0) file.text.clear();
  return file;
} catch (const std::system_error& error) {
  return {.path = path, .error = error.code().value(), .text = {}};
}

// In the process of its own; never returns.
[[noreturn]] void fill(const sys::Fd& memfd, const std::set<fs::path>& names) try {
  sys::must(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE");  // no core file may hold a key
  std::vector<sys::KeyFile> files;
  for (const fs::path& name : names) files.push_back(read_key_file(name));
  sys::write_and_seal(memfd, sys::to_bytes(files));
  ::_exit(EX_OK);
} catch (const std::exception&) {
  ::_exit(EX_OSERR);
}

}  // namespace

sys::Fd read_key_files(const config::Config& config) {
  sys::Fd memfd = sys::make_memfd("hooksmtpd-keys");
  const pid_t pid = sys::must(::fork(), "fork");
  if (pid == 0) fill(memfd, files_of(config.tls));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw StartError(EX_OSERR, "the key files could not be read");
  return memfd;
}

}  // namespace hooksmtpd::launcher
