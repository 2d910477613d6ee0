// What everything that looks after a process needs: time, the log, and a way to ask the kernel about that process.

#pragma once

#include "daemon/launcher/loop.h"
#include "daemon/sys/log.h"
#include "daemon/sys/process_report.h"

namespace hooksmtpd::launcher {

struct Surroundings {
  Loop& loop;
  sys::Log& log;
  int proc;                     // the directory /proc; -1: nobody can be asked
  sys::Demands demands;         // what promise P1 means here
  Loop::Milliseconds patience;  // with a process of ours that does not answer
};

}  // namespace hooksmtpd::launcher
