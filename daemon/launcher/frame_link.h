// The supervisor's end of a socket pair: frames in, frames out, and an end to a peer that breaks the rules.
//
// Nothing here blocks. Frames that the socket does not take now wait in a bounded queue; a peer that does not read them
// is as good as gone.

#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/launcher/loop.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"

namespace hooksmtpd::launcher {

class FrameLink {
 public:
  enum class Loss : std::uint8_t { kClosed, kBrokenFrame, kDoesNotRead };

  struct Events {
    std::function<bool(sys::Frame)> frame;  // false: out of place, as bad as a broken one
    std::function<void(Loss)> lost;         // the socket is closed already
  };

  FrameLink(Loop& loop, sys::Sender peer, Events events);

  void open(sys::Fd socket);
  bool is_open() const { return socket_.valid(); }
  // Tells nobody.
  void close();

  // On a closed link: nothing happens.
  void send(sys::FrameKind kind, std::string_view body = {}, std::vector<sys::Fd> fds = {});
  // Takes in what has arrived, without waiting for the loop to come round.
  void read_now();

 private:
  struct Waiting {
    sys::FrameKind kind;
    std::string body;
    std::vector<sys::Fd> fds;
  };

  void ready(short revents);
  bool put(const Waiting& frame);  // false: try again later
  void flush();
  void lose(Loss loss);

  Events events_;
  sys::Sender peer_;
  sys::Fd socket_;
  std::deque<Waiting> waiting_;
  bool overflow_ = false;
  Watch watch_;
};

std::string_view to_string(FrameLink::Loss loss);

}  // namespace hooksmtpd::launcher
