#include "daemon/worker/body.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    std::array<char, 32> name{"/tmp/hooksmtpd-spool-XXXXXX"};
    path = mkdtemp(name.data());
    for (const char* sub : {"incoming", "one", "two"}) fs::create_directory(path / sub);
  }
  ~Folder() { fs::remove_all(path); }

  Spool spool() const {
    return Spool(base.get(), sys::Fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), path, 2);
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::ranges::count_if(fs::recursive_directory_iterator(path),
                                                          [](const auto& entry) { return entry.is_regular_file(); }));
  }

  // Until all has been swept away.
  void sweep() const { event_base_dispatch(base.get()); }

  fs::path path;
  EventBase base{event_base_new()};
};

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a message, small or large, is there for one hook at a time, read-only, and gone afterwards") {
  for (const std::size_t size : {std::size_t{10}, kMaxBodyInMemory, kMaxBodyInMemory + 1, 20 * kMaxBodyInMemory}) {
    CAPTURE(size);
    const Folder folder;
    Spool spool = folder.spool();
    std::string message;
    {
      Body body(spool, "t-1");
      for (std::size_t i = 0; message.size() < size; ++i) {
        const std::string run =
            std::string(std::min<std::size_t>(7 + i % 5000, size - message.size()), static_cast<char>('a' + i % 26));
        body.append(run);
        message += run;
      }
      CHECK(body.size() == size);
      const auto first = body.place_for("one");
      REQUIRE(first.has_value());
      CHECK(*first == folder.path / "one/t-1.eml");
      CHECK(content(*first) == message);
      struct stat status{};
      CHECK(stat(first->c_str(), &status) == 0);
      CHECK((status.st_mode & 0777) == 0444);
      const auto second = body.place_for("two");
      REQUIRE(second.has_value());
      CHECK(content(*second) == message);
      folder.sweep();
      CHECK_FALSE(fs::exists(*first));
      CHECK(content(*second) == message);
      body.withdraw();
      folder.sweep();
      CHECK_FALSE(fs::exists(*second));
    }
    CHECK(folder.files() == 0);
  }
}

TEST_CASE("an error of the spool is told when the message is to be placed, and leaves nothing behind") {
  const Folder folder;
  Spool spool = folder.spool();
  SUBCASE("while it comes in") {
    fs::remove(folder.path / "incoming");
    Body body(spool, "t-1");
    body.append(std::string(kMaxBodyInMemory, 'a'));
    body.append("b");
    body.append("c");
    CHECK(body.place_for("one").error() == ENOENT);
  }
  SUBCASE("when it is given to a hook") {
    Body body(spool, "t-1");
    body.append("a");
    CHECK(body.place_for("nobody").error() == ENOENT);
  }
  SUBCASE("somebody else's file of that name is not overwritten") {
    std::ofstream(folder.path / "one/t-1.eml") << "old";
    Body body(spool, "t-1");
    body.append("a");
    CHECK(body.place_for("one").error() == EEXIST);
    CHECK(content(folder.path / "one/t-1.eml") == "old");
    fs::remove(folder.path / "one/t-1.eml");
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("what an earlier worker left is removed, and only so many files are open at once") {
  const Folder folder;
  std::ofstream(folder.path / "incoming/old.eml") << "old";
  std::ofstream(folder.path / "one/old.eml") << "old";
  Spool spool = folder.spool();
  CHECK(folder.files() == 0);
  const std::string large(kMaxBodyInMemory + 1, 'a');
  Body a(spool, "a"), c(spool, "c");
  a.append(large);
  {
    Body b(spool, "b");
    b.append(large);
    c.append(large);
    CHECK(c.place_for("one").error() == ENOSPC);
    CHECK(folder.files() == 2);
  }
  Body d(spool, "d");
  d.append(large);
  CHECK(d.place_for("one").has_value());
}

TEST_CASE("a message for which there is no room leaves what it had taken to others at once") {
  const Folder folder;
  Spool spool = folder.spool();
  Body body(spool, "t-1");
  body.append(std::string(kMaxBodyInMemory + 1, 'a'));
  CHECK(folder.files() == 1);
  const rlimit before = [] {
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    return limit;
  }();
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 2 * kMaxBodyInMemory, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  body.append(std::string(2 * kMaxBodyInMemory, 'b'));
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(folder.files() == 0);
  CHECK(body.place_for("one").error() == EFBIG);
}

TEST_CASE("octets are put into the midst of a message, small or large, and no hook can read it meanwhile") {
  for (const std::size_t size : {std::size_t{10}, kMaxBodyInMemory, kMaxBodyInMemory + 1, 5 * kMaxBodyInMemory + 7}) {
    CAPTURE(size);
    const Folder folder;
    Spool spool = folder.spool();
    {
      Body body(spool, "t-1");
      const std::string message = std::string(5, 'a') + std::string(size - 5, 'b');
      body.append(message);
      const fs::path before = body.place_for("one").value();
      REQUIRE(body.insert(5, "X: y\r\n"));
      folder.sweep();
      CHECK(!fs::exists(before));
      REQUIRE(body.insert(11, "Z: 1\r\n"));
      CHECK(body.size() == size + 12);
      CHECK(content(body.place_for("two").value()) == "aaaaaX: y\r\nZ: 1\r\n" + message.substr(5));
      CHECK(body.head(11) == "aaaaaX: y\r\n");
    }
    folder.sweep();
    CHECK(folder.files() == 0);
  }
}

TEST_CASE("a message into which nothing can be put is as it was") {
  const Folder folder;
  Spool spool = folder.spool();
  Body body(spool, "t-1"), other(spool, "t-2");
  const std::string large(kMaxBodyInMemory + 1, 'a');
  body.append(large);
  other.append(large);
  CHECK(body.insert(0, "x").error() == ENOSPC);  // two are open, and it would take a third
  CHECK(body.size() == large.size());
  CHECK(content(body.place_for("one").value()) == large);
}
