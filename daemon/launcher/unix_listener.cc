#include "daemon/launcher/unix_listener.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path, std::string_view why, int status = EX_OSERR) {
  throw StartError(status, fmt::format("bind unix:{}: {}", path.string(), why));
}

sockaddr_un address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) {
    refuse(path, "its name is longer than the 107 octets that a socket's may have", EX_CONFIG);
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  return address;
}

// Somebody else's folder could be made to hold anything under this name, or nothing.
struct stat trusted_folder_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  struct stat status{};
  try {
    if (::fstat(open_path(folder).get(), &status) != 0) refuse(path, sys::errno_text(errno));
  } catch (const std::system_error& error) {
    refuse(path, fmt::format("{}\n  make that folder, or name the socket in another one", error.what()));
  }
  if (!S_ISDIR(status.st_mode)) refuse(path, fmt::format("{} is not a folder", folder.string()));
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    refuse(path, fmt::format("the folder {} belongs to user {}: it must be {}", folder.string(), status.st_uid,
                             ::geteuid() == 0 ? "root's" : "root's or your own"));
  }
  if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
    refuse(path, fmt::format("every user can change the folder: chmod o-w {}", folder.string()));
  }
  return status;
}

// Of a daemon that is gone. One that somebody listens on stays.
void remove_stale(const fs::path& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return;  // the usual case; what else is wrong, bind() says
  if (!S_ISSOCK(status.st_mode)) refuse(path, "a file that is no socket has this name");
  const sys::Fd probe(sys::must(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno != ECONNREFUSED) {
    refuse(path, "another process listens there: stop it, or name another socket", EX_UNAVAILABLE);
  }
  if (::unlink(path.c_str()) != 0) {
    refuse(path, fmt::format("the socket of a daemon that is gone cannot be removed: {}", sys::errno_text(errno)));
  }
}

}  // namespace

sys::Fd bind_unix(const fs::path& path, mode_t mode, int backlog) {
  const sockaddr_un address = address_of(path);
  const struct stat folder = trusted_folder_of(path);
  const FileIdentity owner(folder.st_uid, folder.st_gid);
  remove_stale(path, address);
  sys::Fd socket(sys::must(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  const mode_t mask = ::umask(~mode & 0777);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(mask);
  if (bound != 0) refuse(path, sys::errno_text(error));
  sys::must(::listen(socket.get(), backlog), "listen");
  return socket;
}

}  // namespace hooksmtpd::launcher
