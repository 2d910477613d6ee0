#include "daemon/keeper/file_watch.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace hooksmtpd;
namespace fs = std::filesystem;

namespace {

// A folder with releases/1/hook, releases/2/hook, and links that lead there.
class Releases {
 public:
  Releases() {
    std::string name = (fs::temp_directory_path() / "file-watch-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    for (const char* release : {"releases/1", "releases/2"}) fs::create_directories(path_ / release);
    write("releases/1/hook");
    write("releases/2/hook");
    write("other");
    fs::create_symlink("releases/1/hook", path_ / "hook");
    fs::create_directory_symlink(path_ / "releases/1", path_ / "current");
  }
  Releases(const Releases&) = delete;
  Releases& operator=(const Releases&) = delete;
  ~Releases() { fs::remove_all(path_); }

  fs::path operator/(const char* name) const { return path_ / name; }
  void write(const char* name) const { std::ofstream(path_ / name) << "text"; }
  void replace_link(const char* name, const char* target) const {
    fs::create_symlink(target, path_ / "new");
    fs::rename(path_ / "new", path_ / name);
  }
  void make_link_again(const char* name, const char* target) const {
    fs::remove(path_ / name);
    fs::create_symlink(target, path_ / name);
  }

 private:
  fs::path path_;
};

bool readable(const keeper::FileWatch& watch) {
  pollfd one{.fd = watch.descriptor(), .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 0) == 1;
}

}  // namespace

TEST_CASE("a file that is written or replaced has changed, and its neighbours do not matter") {
  const Releases releases;
  keeper::FileWatch watch({releases / "releases/1/hook"});
  CHECK_FALSE(watch.changed());
  releases.write("releases/1/hook");
  CHECK(watch.changed());
  CHECK_FALSE(watch.changed());
  releases.write("releases/1/draft");
  CHECK_FALSE(watch.changed());
  fs::rename(releases / "releases/1/draft", releases / "releases/1/hook");
  CHECK(watch.changed());
}

TEST_CASE("a file that is only begun has not changed yet") {
  const Releases releases;
  fs::remove(releases / "releases/1/hook");
  keeper::FileWatch watch({releases / "releases/1/hook"});
  std::ofstream file(releases / "releases/1/hook");
  CHECK_FALSE(watch.changed());
  file.close();
  CHECK(watch.changed());
}

TEST_CASE("behind a link the file is watched, and the link itself, however it is replaced") {
  const Releases releases;
  keeper::FileWatch watch({releases / "hook"});
  releases.write("releases/1/hook");
  CHECK(watch.changed());
  releases.replace_link("hook", "releases/2/hook");
  CHECK(watch.changed());
  releases.make_link_again("hook", "releases/1/hook");
  CHECK(watch.changed());
}

TEST_CASE("what a link leads to from now on is watched, and what it led to is not any more") {
  const Releases releases;
  keeper::FileWatch watch({releases / "hook"});
  releases.replace_link("hook", "releases/2/hook");
  CHECK(watch.changed());
  releases.write("releases/1/hook");
  CHECK_FALSE(watch.changed());
  releases.write("releases/2/hook");
  CHECK(watch.changed());
}

TEST_CASE("a link among the folders is watched as well") {
  const Releases releases;
  keeper::FileWatch watch({releases / "current/hook"});
  releases.write("releases/1/hook");
  CHECK(watch.changed());
  releases.replace_link("current", "releases/2");
  CHECK(watch.changed());
  releases.write("releases/2/hook");
  CHECK(watch.changed());
}

TEST_CASE("a link in a circle, and a file that is not there, do no harm") {
  const Releases releases;
  fs::create_symlink("circle", releases / "circle");
  keeper::FileWatch watch({releases / "circle", releases / "nowhere/hook", releases / "releases/1/../2/hook"});
  releases.write("releases/2/hook");
  CHECK(watch.changed());
  CHECK_FALSE(readable(watch));
  CHECK(keeper::FileWatch({}).descriptor() == -1);
}
