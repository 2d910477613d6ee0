#include "daemon/sys/process_report.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "daemon/sys/syscall_filter.h"
#include "tests/daemon/sys/in_child.h"

using namespace hooksmtpd::sys;

namespace {

// As the kernel writes it, with lines between that we do not read.
constexpr std::string_view kDropped =
    "Name:\tworker\nUmask:\t0077\nState:\tS (sleeping)\nTgid:\t42\nNgid:\t0\nPid:\t42\nPPid:\t1\nTracerPid:\t0\n"
    "Uid:\t60798\t60798\t60798\t60798\nGid:\t60799\t60799\t60799\t60799\nFDSize:\t64\nGroups:\t \nNStgid:\t42\n"
    "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
    "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";

std::string with(std::string_view line, std::string_view instead) {
  std::string text(kDropped);
  const std::size_t at = text.find(line);
  REQUIRE(at != std::string::npos);
  return text.replace(at, line.size(), instead);
}

std::string left(const std::string& status, Demands demands = {}) {
  const auto report = parse_status(status);
  REQUIRE(report);
  return privilege_left(*report, demands);
}

}  // namespace

TEST_CASE("a status is read") {
  const auto report = parse_status(kDropped);
  REQUIRE(report);
  CHECK(report->pid == 42);
  for (const std::uint32_t uid : report->uids) CHECK(uid == 60798);
  for (const std::uint32_t gid : report->gids) CHECK(gid == 60799);
  CHECK(report->groups == 0);
  for (const std::uint64_t set : report->capabilities) CHECK(set == 0);
  CHECK(report->no_new_privs == 1);
  CHECK(report->seccomp == 2);
  CHECK(privilege_left(*report, {}).empty());
}

TEST_CASE("root's status is read") {
  const auto report = parse_status(with("Groups:\t \n", "Groups:\t0 4 1000 \n"));
  REQUIRE(report);
  CHECK(report->groups == 3);
  const auto capable = parse_status(with("CapEff:\t0000000000000000", "CapEff:\t000001ffffffffff"));
  REQUIRE(capable);
  CHECK(capable->capabilities[2] == 0x1ffffffffff);
}

TEST_CASE("each privilege that is left is named") {
  CHECK(left(with("Uid:\t60798\t60798\t60798", "Uid:\t60798\t60798\t0")) == "a user id is 0");
  CHECK(left(with("Gid:\t60799", "Gid:\t0")) == "a group id is 0");
  CHECK(left(with("CapAmb:\t0000000000000000", "CapAmb:\t0000000000000400")) == "CapAmb is 400");
  CHECK(left(with("NoNewPrivs:\t1", "NoNewPrivs:\t0")) == "no_new_privs is not set");
  CHECK(left(with("Groups:\t ", "Groups:\t27 ")) == "it has supplementary groups");
  CHECK(left(with("Seccomp:\t2", "Seccomp:\t0")) == "its system calls are not filtered");
  CHECK(left(with("Seccomp:\t2", "Seccomp:\t0"), {.filter = false}).empty());
}

TEST_CASE("a plain user may keep groups and bounding set, and nothing else") {
  const std::string bounded = with("CapBnd:\t0000000000000000", "CapBnd:\t000001ffffffffff");
  CHECK(left(bounded) == "CapBnd is 1ffffffffff");
  CHECK(left(bounded, {.empty_bounding_set = false}).empty());
  CHECK(left(with("Groups:\t ", "Groups:\t27 "), {.empty_bounding_set = false}).empty());
  CHECK(left(with("CapPrm:\t0000000000000000", "CapPrm:\t0000000000000001"), {.empty_bounding_set = false}) ==
        "CapPrm is 1");
}

TEST_CASE("a status that we do not understand is none") {
  CHECK_FALSE(parse_status(""));
  CHECK_FALSE(parse_status("Pid:\t42"));
  CHECK_FALSE(parse_status(with("Uid:\t60798\t60798\t60798\t60798", "Uid:\t60798\t60798\t60798")));
  CHECK_FALSE(parse_status(with("Uid:\t60798", "Uid:\tx")));
  CHECK_FALSE(parse_status(with("Uid:\t60798", "Uid:\t60798x")));
  CHECK_FALSE(parse_status(with("Uid:\t60798", "Uid:\t99999999999999999999")));
  CHECK_FALSE(parse_status(with("CapBnd:", "CapBnx:")));
  CHECK_FALSE(parse_status(with("CapBnd:\t", "CapBnd:\tg")));
  CHECK_FALSE(parse_status(with("Pid:\t42\nPPid", "Pid:\t42 43\nPPid")));
}

TEST_CASE("every prefix of a status is either whole or none") {
  for (std::size_t length = 0; length < kDropped.size(); ++length) parse_status(kDropped.substr(0, length));
}

TEST_CASE("a report can be read when nothing can be opened any more") {
  CHECK(exit_status(in_child([] {
          const SelfReport self;
          if (self.read().no_new_privs != 1 || self.read().seccomp != 0) return 1;
          install({.otherwise = refuse(EPERM),
                   .rules = {{.calls = {"pread64", "write", "exit_group", "brk", "mmap"}, .verdict = kAllow}}});
          return self.read().seccomp == 2 ? 0 : 2;
        })) == 0);
}

TEST_CASE("this process, as /proc shows it") {
  const ProcessReport self = SelfReport().read();
  CHECK(self.pid == ::getpid());
  CHECK(self.uids[1] == ::geteuid());
  CHECK(self.gids[1] == ::getegid());
  struct stat status{};
  REQUIRE(::stat("/proc/self/ns/mnt", &status) == 0);
  CHECK(self.namespaces[0] == status.st_ino);
  const Fd proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto seen = report_of(proc.get(), ::getpid());
  REQUIRE(seen);
  CHECK(seen->uids[0] == self.uids[0]);
  CHECK_FALSE(report_of(proc.get(), 0));
}
