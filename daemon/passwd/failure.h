// Why nothing was done: one sentence, and the status that the program ends with (sysexits.h).

#pragma once

#include <stdexcept>
#include <string>

namespace hooksmtpd::passwd {

class Failure : public std::runtime_error {
 public:
  Failure(int status, const std::string& sentence) : std::runtime_error(sentence), status_(status) {}

  int status() const { return status_; }

 private:
  int status_;
};

}  // namespace hooksmtpd::passwd
