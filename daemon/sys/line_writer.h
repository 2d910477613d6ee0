// Lines to a descriptor that must never block us: standard error, or the worker's log pipe.
//
// Lines wait in a bounded buffer until write(2) takes them. One that does not fit is dropped and counted; once there is
// room again, the owner asks take_dropped() and says so in a line.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/sys/fd.h"

namespace hooksmtpd::sys {

class LineWriter {
 public:
  // Gathers `gather` octets before it writes by itself; keeps at most `bound`.
  LineWriter(Fd fd, std::size_t gather, std::size_t bound);
  LineWriter(LineWriter&&) = default;
  LineWriter& operator=(LineWriter&&) = default;

  // Takes a whole line, '\n' included. False: dropped.
  bool add(std::string_view line);
  // Writes what the other end takes now.
  void flush();

  bool pending() const { return !buffer_.empty(); }
  bool has_room_for(std::size_t octets) const { return buffer_.size() + octets <= bound_; }
  int fd() const { return fd_.get(); }
  std::uint64_t dropped() const { return dropped_; }
  // Lines dropped since the last call.
  std::uint64_t take_dropped() { return dropped_ - std::exchange(told_, dropped_); }

 private:
  bool write_some();

  Fd fd_;
  std::size_t gather_;
  std::size_t bound_;
  std::string buffer_;
  std::uint64_t dropped_ = 0;
  std::uint64_t told_ = 0;
};

// A descriptor for the same terminal, pipe, socket or file as `fd`, whose writes do not block. Where it can, it has an
// open file description of its own: O_NONBLOCK on a shared one would surprise the shell we were started from.
Fd nonblocking_copy(int fd);

}  // namespace hooksmtpd::sys
