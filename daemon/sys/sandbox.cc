#include "daemon/sys/sandbox.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <stdexcept>

#include "daemon/sys/error.h"
#include "daemon/sys/process_report.h"

namespace hooksmtpd::sys {

void enter_sandbox() {
  umask(077);
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS");
  const auto report = report_self();
  // exec made us dumpable again: without this, others of our uid could trace us, and a core file could hold mail.
  must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE");
  if (const auto left = privilege_left(report, Bounding::kMayBeFull); !left.empty()) {
    throw std::runtime_error("refusing to serve: " + left);
  }
}

}  // namespace hooksmtpd::sys
