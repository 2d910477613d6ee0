#include "daemon/ctl/inbox/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/ctl/terminal_text.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::ctl::inbox {

bool OutputFile::write(std::string_view octets) {
  if (!open()) return false;
  const int descriptor = is_standard_output() ? STDOUT_FILENO : file_.get();
  while (!octets.empty()) {
    const ssize_t count = ::write(descriptor, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed();
    octets.remove_prefix(static_cast<std::size_t>(count));
    written_ += static_cast<std::size_t>(count);
  }
  return true;
}

// EINVAL: a pipe or a device, which has no disk (fsync(2)).
bool OutputFile::finish() { return !file_.valid() || ::fsync(file_.get()) == 0 || errno == EINVAL || failed(); }

bool OutputFile::open() {
  if (is_standard_output() || file_.valid()) return true;
  file_ = sys::Fd(::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  return file_.valid() || failed();
}

bool OutputFile::failed() {
  const int error = errno;
  failure_ =
      Failure{EX_CANTCREAT, "output",
              fmt::format("{}: {}", is_standard_output() ? "standard output" : shown(name_), sys::errno_text(error))};
  return false;
}

}  // namespace hooksmtpd::ctl::inbox
