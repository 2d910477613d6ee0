// A system call that failed before the event loop starts: one exception that names the call, the object and errno.

#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace hooksmtpd::sys {

// throw_errno("bind 127.0.0.1:25") ends up as "bind 127.0.0.1:25: Permission denied".
[[noreturn]] inline void throw_errno(std::string_view call, int error = errno) {
  throw std::system_error(error, std::generic_category(), std::string(call));
}

// Passes on what a system call returned, unless that is -1.
template <class Result>
Result must(Result result, std::string_view call) {
  if (result < 0) throw_errno(call);
  return result;
}

// "Permission denied".
inline std::string errno_text(int error) { return std::generic_category().message(error); }

}  // namespace hooksmtpd::sys
