// The daemon's pipes: request lines in, reply lines out.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::tcl {

class Pipes {
 public:
  Pipes(int requests, int replies) : requests_(requests), replies_(replies) {}

  // Whether next_line() has one.
  bool has_line();
  // The next request, without its line feed; good until the next read().
  std::optional<std::string_view> next_line();
  // What has come, once. False: there will be no more.
  bool read();

  int requests() const { return requests_; }

  // What flush() writes next.
  std::string& out() { return out_; }
  // All of it. False: nobody reads it any more.
  bool flush();

 private:
  int requests_, replies_;
  std::string in_, out_;
  std::size_t begin_ = 0;     // of the next line in in_
  std::size_t searched_ = 0;  // up to here in_ has no line feed beyond begin_
};

// Takes them from descriptors 0 and 1, for us alone: whoever reads descriptor 0 finds nothing there, and what a script,
// or a program that it runs, writes to descriptor 1 goes where 2 does, to the log. Throws std::system_error.
Pipes take_pipes();

}  // namespace hooksmtpd::tcl
