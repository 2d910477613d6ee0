#include "daemon/sendmail/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "daemon/sys/error.h"

namespace hooksmtpd::sendmail {
namespace {

sys::Fd make_file() {
  const char* chosen = std::getenv("TMPDIR");
  const std::string folder = chosen == nullptr || *chosen == '\0' ? "/var/tmp" : chosen;
  sys::Fd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.valid() || (errno != EOPNOTSUPP && errno != EISDIR)) {
    sys::must(file.get(), "a temporary file in " + folder);
    return file;
  }
  std::string name = folder + "/hooksmtpd-sendmail-XXXXXX";  // an overlay file system of older kernels
  file.reset(sys::must(::mkostemp(name.data(), O_CLOEXEC), name));
  ::unlink(name.c_str());
  return file;
}

}  // namespace

void Spool::append(std::string_view bytes) {
  memory_ += bytes;
  if (memory_.size() > kInMemory) flush();
}

void Spool::flush() {
  if (!file_.valid()) file_ = make_file();
  std::string_view left = memory_;
  while (!left.empty()) {
    const ssize_t written = ::write(file_.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    left.remove_prefix(static_cast<std::size_t>(sys::must(written, "the temporary file")));
  }
  in_file_ += memory_.size();
  memory_.clear();
}

std::size_t Spool::read(std::uint64_t offset, std::span<char> out) const {
  if (offset >= in_file_) {
    const auto begin = static_cast<std::size_t>(std::min<std::uint64_t>(offset - in_file_, memory_.size()));
    return memory_.copy(out.data(), out.size(), begin);
  }
  const std::size_t wanted = std::min<std::uint64_t>(out.size(), in_file_ - offset);
  ssize_t got = 0;
  do {
    got = ::pread(file_.get(), out.data(), wanted, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return static_cast<std::size_t>(sys::must(got, "the temporary file"));
}

}  // namespace hooksmtpd::sendmail
