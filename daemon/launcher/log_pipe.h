// The worker's log: lines "<N>text" from its pipe into the supervisor's log.
//
// What the worker prints otherwise (an assertion, the C library giving up) comes out as an error of the worker.

#pragma once

#include <string>

#include "daemon/launcher/loop.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/log.h"

namespace hooksmtpd::launcher {

class LogPipe {
 public:
  LogPipe(Loop& loop, sys::Log& log);

  void open(sys::Fd pipe);
  // Reads what is left, and lets go.
  void close();

 private:
  bool read_some();  // false: nothing is there now
  void take(std::string_view piece);
  void end_line();

  sys::Log& log_;
  sys::Fd pipe_;
  std::string line_;  // without its end; cut at kMaxLine
  bool cut_ = false;
  Watch watch_;
};

}  // namespace hooksmtpd::launcher
