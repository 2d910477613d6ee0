// Why the daemon does not start: one text for people, and an exit status of sysexits.h.

#pragma once

#include <sysexits.h>

#include <stdexcept>
#include <string>

#include "config/load.h"

namespace hooksmtpd::launcher {

class StartError : public std::runtime_error {
 public:
  StartError(int status, const std::string& text) : std::runtime_error(text), status_(status) {}

  int status() const { return status_; }  // EX_CONFIG, EX_OSERR, EX_NOPERM, ...

 private:
  int status_;
};

// Something in the configuration that only the machine shows to be wrong: "FILE:LINE:COLUMN: text".
inline StartError config_error(const config::Source& where, const std::string& text) {
  return {EX_CONFIG, config::to_string(config::Problem{.where = where, .text = text})};
}

}  // namespace hooksmtpd::launcher
