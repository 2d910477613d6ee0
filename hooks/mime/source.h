// Where the octets of a message are: in a file, or in memory. A view; both stay whose they are.

#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hooksmtpd::mime {

class Source {
 public:
  Source(int file) : file_(file) {}  // a descriptor that can be read; all of it is the message
  Source(std::string_view octets) : octets_(octets) {}

  // None: they are in a file.
  const std::optional<std::string_view>& octets() const { return octets_; }

  // Of a file, as pread(2) does, but never interrupted.
  ssize_t read(char* to, std::size_t most, std::uint64_t offset) const {
    while (true) {
      const ssize_t got = pread(file_, to, most, static_cast<off_t>(offset));
      if (got >= 0 || errno != EINTR) return got;
    }
  }

 private:
  int file_ = -1;
  std::optional<std::string_view> octets_{};
};

}  // namespace hooksmtpd::mime
