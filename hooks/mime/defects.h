// What GMime complains about while it reads a message, as sentences.

#pragma once

#include <string>
#include <vector>

#include "hooks/mime/gmime_handle.h"

namespace hooksmtpd::mime {

// Options with which a parser reports to `defects`, which outlives them. Each sentence comes once, and not more than
// kMaxDefects in all.
inline constexpr std::size_t kMaxDefects = 100;
Options reporting_to(std::vector<std::string>& defects);

void add_defect(std::vector<std::string>& defects, std::string sentence);

}  // namespace hooksmtpd::mime
