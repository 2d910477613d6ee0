// What smtpload is told on its command line.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace hooksmtpd::bench {

struct Options {
  std::uint16_t port = 0;
  std::size_t connections = 1;
  std::size_t messages = 1;    // a connection; 0: EHLO and QUIT only
  std::size_t recipients = 1;  // of a message
  std::size_t size = 1024;     // octets of one message before dot stuffing
  std::size_t rate = 0;        // at most so many connections a second; 0: as fast as it goes
  bool pipelining = false;     // MAIL, RCPT and DATA in one write
  bool tls = false;            // from the first octet on (RFC 8314); the certificate is not looked at
  bool resume = false;         // with the session of the TLS connection before: every handshake must be a short one
  double seconds = 3;
  double warm_up = 1;         // seconds before the measurement begins
  int server_pid = 0;         // CPU and memory of its process tree are measured
  std::string control_group;  // folder with cpuacct.usage (v1) or cpu.stat (v2): CPU is taken from there instead
  std::size_t idle = 0;       // hold so many connections after EHLO instead of sending messages
};

// Prints how it is used and exits where it makes no sense.
Options parse_options(int argc, char** argv);

}  // namespace hooksmtpd::bench
