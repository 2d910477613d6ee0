#include "daemon/keyholder/read_key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::keyholder {
namespace {

constexpr mode_t kOthersMayRead = S_IROTH;

// 0, or errno.
int read_text(const std::filesystem::path& path, std::string& text, mode_t& mode) {
  const sys::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));  // a FIFO must not block us
  if (!file.valid()) return errno;
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  mode = status.st_mode;
  text.resize(sys::kLargestKeyFile + 1);  // once, so that no half-read copy stays behind in freed memory
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > sys::kLargestKeyFile) return EFBIG;
  text.resize(size);
  return 0;
}

}  // namespace

ReadKeyFile read_key_file(const std::filesystem::path& path, const std::vector<sys::KeyFile>& at_start) {
  ReadKeyFile read{.file = {.path = path, .error = 0, .text = {}}, .note = {}};
  mode_t mode = 0;
  read.file.error = read_text(path, read.file.text, mode);
  if (read.file.error == 0) {
    if ((mode & kOthersMayRead) != 0) {
      read.note = fmt::format("{0} can be read by every user of this machine: chmod o-r {0}", path.string());
    }
    return read;
  }
  read.file.text.clear();
  const auto before = std::ranges::find(at_start, path, &sys::KeyFile::path);
  if (before == at_start.end() || before->error != 0) return read;
  const int error = std::exchange(read.file.error, 0);
  read.file.text = before->text;
  read.note = error == EACCES ? fmt::format(
                                    "{} is not readable for hooksmtpd-key: the key read at start stays in use; chgrp "
                                    "hooksmtpd-key and chmod 0640 to reload it live",
                                    path.string())
                              : fmt::format("{} cannot be read: {}; the key read at start stays in use", path.string(),
                                            sys::errno_text(error));
  return read;
}

void wipe(std::vector<sys::KeyFile>& files) {
  for (sys::KeyFile& file : files) OPENSSL_cleanse(file.text.data(), file.text.size());
}

}  // namespace hooksmtpd::keyholder
