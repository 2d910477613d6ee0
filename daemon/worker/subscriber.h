// A client of the control socket that listens to us: lines of JSON go to it as fast as it reads, and nobody ever waits
// for it. What it has not read waits in a bounded queue; beyond that lines are dropped, counted, and one line tells how
// many once there is room again:
//
//   {"time":"2026-11-22T17:20:11.482Z","from":"daemon","what":"dropped","count":17}

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"
#include "daemon/worker/event.h"

namespace hooksmtpd::worker {

class Subscriber {
 public:
  // `most_queued`: octets that may wait.
  Subscriber(event_base* base, sys::Fd socket, std::size_t most_queued);
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // `line` without its end.
  void tell(std::string_view line);
  // Sends what the socket takes now. Call it once per turn of the event loop; in between it is called by itself.
  void flush() noexcept;
  // Closes as soon as all is read.
  void close_when_told() { closing_ = true; }

  // It has hung up, or has been told the last line: destroy it, but not from within its own callback.
  bool gone() const { return gone_; }

 private:
  void hear() noexcept;
  bool has_room_for(std::size_t octets) const;
  void tell_dropped();

  sys::Fd socket_;
  const std::size_t most_queued_;
  std::string queue_;
  std::size_t sent_ = 0;  // of queue_
  std::uint64_t dropped_ = 0;
  bool closing_ = false;
  bool gone_ = false;
  Event readable_, writable_;
};

}  // namespace hooksmtpd::worker
