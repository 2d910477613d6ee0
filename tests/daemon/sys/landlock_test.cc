#include "daemon/sys/landlock.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <system_error>

#include "tests/daemon/sys/in_child.h"

using namespace hooksmtpd::sys;
namespace fs = std::filesystem;

namespace {

constexpr int kNetworkSince = 4;
constexpr int kScopesSince = 6;

// A folder with `inside/file`, `inside/second/` and `outside/file`.
class Playground {
 public:
  Playground() {
    std::string name = "/tmp/hooksmtpd-landlock-XXXXXX";
    top_ = ::mkdtemp(name.data());
    fs::create_directories(top_ / "inside/second");
    fs::create_directory(top_ / "outside");
    std::ofstream(top_ / "inside/file") << "text";
    std::ofstream(top_ / "outside/file") << "text";
  }
  Playground(const Playground&) = delete;
  Playground& operator=(const Playground&) = delete;
  ~Playground() { fs::remove_all(top_); }

  fs::path operator/(const char* name) const { return top_ / name; }

  // errno of `act` once only `inside` is left, with these rights.
  int within(FileRights rights, const std::function<int()>& act) const {
    return exit_status(in_child([&] {
      restrict_self({.places = {{.path = top_ / "inside", .rights = rights}}});
      return act();
    }));
  }

 private:
  fs::path top_;
};

int open_error(const fs::path& path, int flags) { return error_of(::open(path.c_str(), flags, 0600)); }

}  // namespace

TEST_CASE("this machine has Landlock, or nothing below means anything") {
  CHECK(landlock_missing().empty());
  CHECK(landlock_abi() >= 2);
}

TEST_CASE("files outside of the named folders cannot be touched") {
  const Playground playground;
  CHECK(playground.within(FileRights::kRead, [&] { return open_error(playground / "inside/file", O_RDONLY); }) == 0);
  CHECK(playground.within(FileRights::kRead, [&] { return open_error(playground / "outside/file", O_RDONLY); }) ==
        EACCES);
  CHECK(playground.within(FileRights::kRead, [&] { return open_error("/etc/passwd", O_RDONLY); }) == EACCES);
}

TEST_CASE("each right is one of its own") {
  const Playground playground;
  const fs::path file = playground / "inside/file";
  const fs::path fresh = playground / "inside/fresh";
  const FileRights change = FileRights::kWrite | FileRights::kMake;
  CHECK(playground.within(FileRights::kRead, [&] { return open_error(file, O_WRONLY); }) == EACCES);
  CHECK(playground.within(FileRights::kWrite, [&] { return open_error(file, O_RDONLY); }) == EACCES);
  CHECK(playground.within(FileRights::kWrite, [&] { return open_error(file, O_WRONLY); }) == 0);
  CHECK(playground.within(FileRights::kWrite, [&] { return open_error(fresh, O_WRONLY | O_CREAT); }) == EACCES);
  CHECK(playground.within(change, [&] { return open_error(fresh, O_WRONLY | O_CREAT); }) == 0);
  CHECK(playground.within(FileRights::kWrite, [&] { return error_of(::unlink(fresh.c_str())); }) == EACCES);
  CHECK(playground.within(FileRights::kMake, [&] { return error_of(::unlink(fresh.c_str())); }) == 0);
  CHECK(playground.within(FileRights::kRead, [&] { return error_of(::execl("/bin/true", "true", nullptr)); }) ==
        EACCES);
}

TEST_CASE("a hard link into another folder is a thing to make") {
  const Playground playground;
  const auto link_it = [&] {
    return error_of(::link((playground / "inside/file").c_str(), (playground / "inside/second/file").c_str()));
  };
  CHECK(playground.within(FileRights::kWrite, link_it) == EACCES);
  CHECK(playground.within(FileRights::kMake, link_it) == 0);
}

TEST_CASE("a rule may be for one file") {
  CHECK(exit_status(in_child([] {
          restrict_self({.places = {{.path = "/etc/passwd", .rights = FileRights::kRead | FileRights::kMake}}});
          return open_error("/etc/passwd", O_RDONLY);
        })) == 0);
}

TEST_CASE("a place that is not there is an error") {
  CHECK_THROWS_AS(restrict_self({.places = {{.path = "/no/such/place", .rights = FileRights::kRead}}}),
                  std::system_error);
}

TEST_CASE("TCP sockets cannot be bound or connected unless that is allowed") {
  const auto bind_it = [] {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return error_of(::bind(socket, reinterpret_cast<sockaddr*>(&any), sizeof any));
  };
  const auto within = [&](bool tcp) {
    return exit_status(in_child([&] {
      restrict_self({.places = {}, .tcp = tcp});
      return bind_it();
    }));
  };
  CHECK(within(true) == 0);
  CHECK(within(false) == (landlock_abi() >= kNetworkSince ? EACCES : 0));
}

TEST_CASE("processes outside cannot be signalled unless that is allowed") {
  const auto within = [](bool outside) {
    return exit_status(in_child([&] {
      restrict_self({.places = {}, .outside = outside});
      return error_of(::kill(::getppid(), 0));
    }));
  };
  CHECK(within(true) == 0);
  CHECK(within(false) == (landlock_abi() >= kScopesSince ? EPERM : 0));
}
