// Which files make up a configuration, and their texts.

#pragma once

#include <vector>

#include "config/load.h"

namespace hooksmtpd::config {

// The main file, then conf.d/*.toml beside it, by name. Nothing, where none was asked for and none is there. A file
// that others can change is not read: it decides what runs under which user.
std::vector<FileText> read_files(const Request& request, std::vector<Problem>& problems);

}  // namespace hooksmtpd::config
