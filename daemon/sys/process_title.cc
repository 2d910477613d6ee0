#include "daemon/sys/process_title.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace hooksmtpd::sys {

void set_process_title(char** argv, std::string_view title) {
  if (argv == nullptr || argv[0] == nullptr) return;
  // The kernel lays out arguments and environment one after another; ps reads on into the environment when the last
  // octet of the arguments is not NUL (proc(5), /proc/PID/cmdline).
  char* const begin = argv[0];
  char* end = begin;
  for (char** one = argv; *one != nullptr; ++one) {
    if (*one == end) end += std::strlen(*one) + 1;
  }
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    if (*one == end) end += std::strlen(*one) + 1;
  }
  ::clearenv();
  std::memset(begin, 0, static_cast<std::size_t>(end - begin));
  std::memcpy(begin, title.data(), std::min(title.size(), static_cast<std::size_t>(end - begin) - 1));
}

}  // namespace hooksmtpd::sys
