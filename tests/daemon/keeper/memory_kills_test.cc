#include "daemon/keeper/memory_kills.h"

#include <doctest/doctest.h>

#include <string_view>

#include "daemon/sys/error.h"
#include "daemon/sys/pair.h"

#include <sys/mman.h>
#include <unistd.h>

namespace hooksmtpd::keeper {
namespace {

std::uint64_t kills_in(std::string_view text) {
  const sys::Fd file(sys::must(::memfd_create("memory.events", MFD_CLOEXEC), "memfd_create"));
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return memory_kills(file);
}

TEST_CASE("who was killed for want of memory is counted by both versions of groups") {
  CHECK_EQ(kills_in("low 0\nhigh 0\nmax 812\noom 2\noom_kill 3\noom_group_kill 0\n"), 3);
  CHECK_EQ(kills_in("oom_kill_disable 0\nunder_oom 0\noom_kill 12\n"), 12);
  CHECK_EQ(kills_in("oom_kill 1\n"), 1);
}

TEST_CASE("where nothing is counted there are none") {
  CHECK_EQ(kills_in(""), 0);
  CHECK_EQ(kills_in("oom_kill_disable 7\nunder_oom 1\n"), 0);
  CHECK_EQ(kills_in("oom_kill x\n"), 0);
  CHECK_EQ(memory_kills(sys::Fd()), 0);
}

}  // namespace
}  // namespace hooksmtpd::keeper
