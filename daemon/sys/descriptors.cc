#include "daemon/sys/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "daemon/sys/error.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::sys {

void close_all_but(std::span<const int> kept) {
  std::vector<int> sorted(kept.begin(), kept.end());
  std::ranges::sort(sorted);
  unsigned first = STDERR_FILENO + 1;
  for (const int fd : sorted) {
    const auto keep = static_cast<unsigned>(fd);
    if (keep < first) continue;
    if (keep > first) must(::close_range(first, keep - 1, 0), "close_range");
    first = keep + 1;
  }
  must(::close_range(first, ~0U, 0), "close_range");
}

void standard_descriptors_to_null() {
  const Fd null(must(::open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null"));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) must(::dup2(null.get(), fd), "dup2");
}

void fill_standard_descriptors() {
  int fd = -1;
  do {
    fd = must(::open("/dev/null", O_RDWR), "open /dev/null");
  } while (fd <= STDERR_FILENO);
  ::close(fd);
}

}  // namespace hooksmtpd::sys
