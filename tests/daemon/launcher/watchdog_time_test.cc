// Whether systemd's watchdog waits for this process (resources.h).

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "daemon/launcher/resources.h"

namespace hooksmtpd::launcher {
namespace {

using std::chrono::milliseconds;

std::optional<milliseconds> time_with(const char* microseconds, const char* pid) {
  const auto set = [](const char* name, const char* value) {
    return value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  };
  set("WATCHDOG_USEC", microseconds);
  set("WATCHDOG_PID", pid);
  const auto time = watchdog_time();
  set("WATCHDOG_USEC", nullptr);
  set("WATCHDOG_PID", nullptr);
  return time;
}

TEST_CASE("the time is that of WATCHDOG_USEC, for us or for nobody in particular") {
  CHECK(time_with("60000000", nullptr) == milliseconds(60'000));
  CHECK(time_with("60000000", std::to_string(::getpid()).c_str()) == milliseconds(60'000));
  CHECK(time_with("1", nullptr) == milliseconds(1));
}

TEST_CASE("no watchdog: no variable, one that is no number, or another process's") {
  for (const char* text : {static_cast<const char*>(nullptr), "", "0", "-5", "60s", "99999999999999999999"}) {
    CHECK_FALSE(time_with(text, nullptr));
  }
  CHECK_FALSE(time_with("60000000", "1"));
}

}  // namespace
}  // namespace hooksmtpd::launcher
