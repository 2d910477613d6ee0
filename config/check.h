// What no single value shows: whether the parts of a configuration fit together.

#pragma once

#include <vector>

#include "config/load.h"

namespace hooksmtpd::config {

// Errors only; empty where all is well. `origins` tell where each stands.
//
// First that nothing is there twice, which can be told of any configuration; then the rest, of one that has no wrong
// value: where a value is left out because it was wrong, these would complain that it is missing.
std::vector<Problem> check_names(const Config& config);
std::vector<Problem> check_parts(const Config& config, const Origins& origins);

}  // namespace hooksmtpd::config
