#include "daemon/launcher/unix_listener.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "daemon/launcher/start_error.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = "/tmp/hooksmtpd-test-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  fs::path path;
};

bool connects(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  const sys::Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string refusal(const fs::path& path) {
  try {
    bind_unix(path, 0666, 8);
  } catch (const StartError& error) {
    return error.what();
  }
  return "bound";
}

TEST_CASE("a unix socket has the mode that was asked for, whatever the umask") {
  const Folder folder;
  for (const mode_t mode : {0666U, 0660U, 0600U}) {
    const fs::path path = folder.path / std::to_string(mode);
    const mode_t before = ::umask(077);
    const sys::Fd socket = bind_unix(path, mode, 8);
    CHECK(::umask(before) == 077);
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == mode);
    CHECK(connects(path));
  }
}

TEST_CASE("the socket of a daemon that is gone is replaced, one of a daemon that lives is not") {
  const Folder folder;
  const fs::path path = folder.path / "smtp.sock";
  bind_unix(path, 0666, 8).reset();
  const sys::Fd socket = bind_unix(path, 0666, 8);
  CHECK(connects(path));
  CHECK(refusal(path).find("another process listens there") != std::string::npos);
  CHECK(connects(path));
}

TEST_CASE("what is no socket is left alone, and so is a folder that others can change") {
  const Folder folder;
  const fs::path file = folder.path / "file";
  std::ofstream(file) << "precious";
  CHECK(refusal(file).find("a file that is no socket has this name") != std::string::npos);
  CHECK(fs::file_size(file) == 8);
  CHECK(refusal(folder.path / "none/smtp.sock").find("make that folder") != std::string::npos);
  CHECK(refusal(file / "smtp.sock").find("unix:") != std::string::npos);
  CHECK(refusal(folder.path / std::string(120, 'x')).find("107 octets") != std::string::npos);

  fs::permissions(folder.path, fs::perms::all);
  CHECK(refusal(folder.path / "smtp.sock").find("chmod o-w") != std::string::npos);
  fs::permissions(folder.path, fs::perms::all | fs::perms::sticky_bit);
  CHECK(refusal(folder.path / "smtp.sock") == "bound");
  if (::geteuid() != 0) return;
  fs::permissions(folder.path, fs::perms::owner_all);
  REQUIRE(::chown(folder.path.c_str(), 61999, 61999) == 0);
  CHECK(refusal(folder.path / "other.sock").find("belongs to user 61999") != std::string::npos);
}

}  // namespace
}  // namespace hooksmtpd::launcher
