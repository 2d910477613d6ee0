// The command behind `--` of wait, expect and hook record.

#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl/client.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::ctl {

class Child {
 public:
  // Standard input, output and error are ours.
  static std::expected<Child, Failure> start(const std::vector<std::string>& argv);
  // One that still runs gets SIGTERM; nobody waits for it.
  ~Child();
  Child(Child&&) = default;
  Child& operator=(Child&&) = delete;

  // Readable when it has ended.
  int descriptor() const { return pidfd_.get(); }
  // Its exit status, 128 + the signal that killed it; empty: it still runs.
  std::optional<int> status();

 private:
  Child(pid_t pid, sys::Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  sys::Fd pidfd_;  // not valid: moved from
  std::optional<int> status_{};
};

}  // namespace hooksmtpd::ctl
