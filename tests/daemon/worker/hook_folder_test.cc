#include "daemon/worker/hook_folder.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

using namespace hooksmtpd;
using hooksmtpd::worker::HookFolder;
namespace fs = std::filesystem;

namespace {

struct Place {
  Place() {
    std::array<char, 32> name{"/tmp/hooksmtpd-hook-XXXXXX"};
    path = mkdtemp(name.data());
  }
  ~Place() { fs::remove_all(path); }

  sys::Fd open() const { return sys::Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }
  std::string content(const char* name) const {
    std::ifstream in(path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  ino_t inode(const char* name) const {
    struct stat status{};
    return stat((path / name).c_str(), &status) == 0 ? status.st_ino : 0;
  }
  auto files() const { return std::distance(fs::directory_iterator(path), {}); }

  fs::path path;
};

// From now on, in this thread, as on a file system that has no modes.
bool fail_fchmod() {
  std::array program{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                     sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fchmod, 0, 1),
                     sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
                     sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

TEST_CASE("a file that cannot be made readable is none") {
  const Place place;
  int error = 0;
  std::thread([&] {
    if (!fail_fchmod()) return;
    const auto file = worker::create_readable(place.open(), "1.eml");
    error = file ? 0 : file.error();
  }).join();
  CHECK(error == EOPNOTSUPP);
  CHECK(place.files() == 0);
}

TEST_CASE("the file of a message that is over is the next one's, under its name, longer or shorter") {
  const Place place;
  HookFolder folder(place.open());
  auto first = folder.write("1.eml", "a message of some length");
  REQUIRE(first.has_value());
  const ino_t inode = place.inode("1.eml");
  REQUIRE(folder.take_away(*std::move(first)));
  CHECK(place.content("1.eml") == "a message of some length");
  auto second = folder.write("2.eml", "short");
  REQUIRE(second.has_value());
  CHECK_FALSE(fs::exists(place.path / "1.eml"));
  CHECK(place.content("2.eml") == "short");
  CHECK(place.inode("2.eml") == inode);
  REQUIRE(folder.take_away(*std::move(second)));
  const std::string longer(5000, 'x');
  REQUIRE(folder.write("3.eml", longer).has_value());
  CHECK(place.content("3.eml") == longer);
  CHECK(place.inode("3.eml") == inode);
}

TEST_CASE("a message may come back under its name") {
  const Place place;
  HookFolder folder(place.open());
  auto first = folder.write("1.eml", "the first"), second = folder.write("2.eml", "the second");
  folder.take_away(*std::move(first));
  folder.take_away(*std::move(second));
  REQUIRE(folder.write("1.eml", "the first, with more").has_value());
  CHECK(place.content("1.eml") == "the first, with more");
  CHECK(place.files() == 1);
}

TEST_CASE("whoever has a message open reads that one to its end") {
  const Place place;
  HookFolder folder(place.open());
  auto first = folder.write("1.eml", "the first");
  REQUIRE(first.has_value());
  std::ifstream reader(place.path / "1.eml");
  folder.take_away(*std::move(first));
  REQUIRE(folder.write("2.eml", "the second").has_value());
  CHECK(std::string(std::istreambuf_iterator<char>(reader), {}) == "the first");
  CHECK(place.content("2.eml") == "the second");
  CHECK(place.files() == 1);
}

TEST_CASE("a file that is not used again has gone after two sweeps, and all of them with the folder's end") {
  const Place place;
  {
    HookFolder folder(place.open());
    folder.take_away(*folder.write("1.eml", "one"));
    CHECK(folder.sweep());
    CHECK(place.files() == 1);
    CHECK_FALSE(folder.sweep());
    CHECK(place.files() == 0);
    CHECK_FALSE(folder.sweep());
    folder.take_away(*folder.write("2.eml", "two"));
  }
  CHECK(place.files() == 0);
}

TEST_CASE("one more message than may be open has a file all the same, for once") {
  const Place place;
  HookFolder folder(place.open());
  std::vector<HookFolder::File> files;
  for (std::size_t i = 0; i <= HookFolder::kMostOpen; ++i) {
    files.push_back(*folder.write(std::to_string(i) + ".eml", "message " + std::to_string(i)));
  }
  CHECK(place.content(files.back().name.c_str()) == "message 64");
  CHECK_FALSE(folder.take_away(std::move(files.back())));
  CHECK(place.files() == HookFolder::kMostOpen);
  CHECK(folder.take_away(std::move(files.front())));
}
