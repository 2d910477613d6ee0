// What is right by the rules, and yet may not be what was meant.

#pragma once

#include <vector>

#include "config/load.h"

namespace hooksmtpd::config {

std::vector<Problem> advice(const Config& config);

}  // namespace hooksmtpd::config
