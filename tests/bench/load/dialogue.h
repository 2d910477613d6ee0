// What the client says: the same octets for every connection, made once.

#pragma once

#include <string>

#include "tests/bench/load/options.h"

namespace hooksmtpd::bench {

struct Dialogue {
  std::string ehlo, mail, rcpt, data, noop, quit;
  std::string group;  // MAIL, RCPT and DATA, for PIPELINING
  std::string body;   // dots stuffed, with the end of data
};

Dialogue make_dialogue(const Options& options);

}  // namespace hooksmtpd::bench
