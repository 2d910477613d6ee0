// What systemd is told (sd_notify(3)): READY=1, STATUS=…, RELOADING=1, STOPPING=1, WATCHDOG=1.

#pragma once

#include <string>
#include <string_view>

#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {

class Notifier {
 public:
  // A datagram socket connected to $NOTIFY_SOCKET; without one nobody is told anything.
  explicit Notifier(sys::Fd socket) : socket_(std::move(socket)) {}

  void ready(std::string_view status);
  void status(std::string_view text);  // sent when it is another one than before
  void reloading();                    // ready() ends it
  void stopping();
  void alive();  // to be said more often than every watchdog time, if there is one

 private:
  void send(std::string_view lines);

  sys::Fd socket_;
  std::string status_;
};

}  // namespace hooksmtpd::launcher
