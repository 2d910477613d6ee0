// What ps(1) shows of a process that has not been exec'd.

#pragma once

#include <string_view>

namespace hooksmtpd::sys {

// Writes `title` over the argument vector that main() got, and the environment behind it if that is not enough: no copy
// of it is left in this process, and getenv() finds nothing any more. Cut where the room ends.
void set_process_title(char** argv, std::string_view title);

}  // namespace hooksmtpd::sys
