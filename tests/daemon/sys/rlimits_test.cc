#include "daemon/sys/rlimits.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "tests/daemon/sys/in_child.h"

using namespace hooksmtpd::sys;

TEST_CASE("a limit is for good") {
  CHECK(exit_status(in_child([] {
          limit({{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 10}});
          rlimit now{};
          ::getrlimit(RLIMIT_NOFILE, &now);
          return now.rlim_cur == 10 && now.rlim_max == 10 && ::dup2(0, 10) < 0 ? 0 : 1;
        })) == 0);
}

TEST_CASE("a limit that is lower already stays") {
  CHECK(exit_status(in_child([] {
          limit({{RLIMIT_NOFILE, 10}});
          limit({{RLIMIT_NOFILE, 20}});
          rlimit now{};
          ::getrlimit(RLIMIT_NOFILE, &now);
          return static_cast<int>(now.rlim_max);
        })) == 10);
}
