// A message's body while nobody has taken it yet: in memory while it is small, else in a file that has no name.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"

namespace hooksmtpd::sendmail {

class Spool {
 public:
  static constexpr std::size_t kInMemory = 256 * 1024;

  // Throws std::system_error where no file can be made ($TMPDIR, else /var/tmp), or it is full.
  void append(std::string_view bytes);

  std::uint64_t size() const { return in_file_ + memory_.size(); }
  // From octet `offset` on; how many there were, 0 at the end.
  std::size_t read(std::uint64_t offset, std::span<char> out) const;

 private:
  void flush();

  std::string memory_;  // what comes after in_file_
  std::uint64_t in_file_ = 0;
  sys::Fd file_;
};

}  // namespace hooksmtpd::sendmail
