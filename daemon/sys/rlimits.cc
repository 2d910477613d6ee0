#include "daemon/sys/rlimits.h"

#include <algorithm>

#include "daemon/sys/error.h"

namespace hooksmtpd::sys {

void limit(const ResourceLimits& limits) {
  for (const ResourceLimit& one : limits) {
    const auto resource = static_cast<__rlimit_resource>(one.resource);
    rlimit now{};
    must(::getrlimit(resource, &now), "getrlimit");
    const rlim_t value = std::min<rlim_t>(one.value, now.rlim_max);
    const rlimit wanted{.rlim_cur = value, .rlim_max = value};
    must(::setrlimit(resource, &wanted), "setrlimit");
  }
}

}  // namespace hooksmtpd::sys
