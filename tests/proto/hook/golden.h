// The golden lines of the hook protocol, shared with the tests of the hooks: tests/golden/v1/*.jsonl.

#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::hook {

inline std::vector<std::string> golden(std::string_view name) {
  std::ifstream file(std::string(HOOKSMTPD_GOLDEN "/").append(name));
  REQUIRE(file.is_open());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace hooksmtpd::hook
