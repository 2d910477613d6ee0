// Octets for a file or for standard output.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/ctl/client.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::ctl::inbox {

class OutputFile {
 public:
  // "-" is standard output. A file is opened with the first octet: where none comes, what is there stays as it is.
  explicit OutputFile(std::string name) : name_(std::move(name)) {}

  // False: failure() says why.
  bool write(std::string_view octets);
  // When all is written, and on the disk.
  bool finish();

  std::size_t written() const { return written_; }
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  bool is_standard_output() const { return name_ == "-"; }
  bool open();
  bool failed();

  std::string name_;
  sys::Fd file_{};
  std::size_t written_ = 0;
  std::optional<Failure> failure_{};
};

}  // namespace hooksmtpd::ctl::inbox
