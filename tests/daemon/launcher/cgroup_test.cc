#include "daemon/launcher/cgroup.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace hooksmtpd::launcher {
namespace {

constexpr std::string_view kVersion1 =
    "30 25 0:27 / /cg/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
    "31 25 0:28 /docker/abc /cg/pids rw,relatime - cgroup cgroup rw,pids\n"
    "32 25 0:29 / /cg/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "33 25 0:30 / /proc rw,relatime - proc proc rw\n";

TEST_CASE("a group of version 1 lies where its controller is mounted") {
  const GroupFolders found =
      find_group_folders("4:memory:/a/b\n5:cpu,cpuacct:/\n6:pids:/docker/abc/x\n0::/\n", kVersion1);
  CHECK_EQ(found.of(Controller::kMemory).folder.string(), "/cg/memory/a/b");
  CHECK_EQ(found.of(Controller::kProcesses).folder.string(), "/cg/pids/x");
  CHECK_EQ(found.of(Controller::kCpu).folder.string(), "/cg/cpu,cpuacct/");
  CHECK_FALSE(found.of(Controller::kMemory).unified);
}

TEST_CASE("what is mounted elsewhere, or not at all, is not there, and is named") {
  const GroupFolders found = find_group_folders("4:memory:/a\n6:pids:/docker/abcdef\n", kVersion1);
  CHECK(found.has(Controller::kMemory));
  CHECK_FALSE(found.has(Controller::kProcesses));
  CHECK_EQ(found.of(Controller::kCpu).why, "the controller cpu is not there");
}

TEST_CASE("of version 2 only what is handed on to our group is there") {
  const std::string at =
      std::string(std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "/tmp") + "/cgroup_test.XXXXXX";
  std::string folder = at;
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::filesystem::create_directory(folder + "/unit");
  std::ofstream(folder + "/unit/cgroup.controllers") << "memory pids\n";
  const GroupFolders found =
      find_group_folders("0::/unit\n", "40 25 0:31 / " + folder + " rw shared:4 - cgroup2 cgroup2 rw\n");
  CHECK_EQ(found.of(Controller::kMemory).folder.string(), folder + "/unit");
  CHECK(found.of(Controller::kProcesses).unified);
  CHECK_FALSE(found.has(Controller::kCpu));
  std::filesystem::remove_all(folder);
}

TEST_CASE("lines that are cut are no mounts") {
  CHECK_FALSE(find_group_folders("4:memory:/a\nnonsense\n", "30 25 0:27 - cgroup\n\n- - -\n").has(Controller::kMemory));
}

}  // namespace
}  // namespace hooksmtpd::launcher
