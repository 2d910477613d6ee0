#include "daemon/launcher/privilege.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace hooksmtpd::launcher {
namespace {

std::string_view name_of(const Slot& slot) {
  switch (slot.role) {
    case Role::kWorker:
      return "the worker";
    case Role::kKeyholder:
      return "the keyholder";
    case Role::kHook:
      return slot.hook;
  }
  return "?";
}

}  // namespace

sys::Bounding bounding_of(Isolation level) {
  return level >= Isolation::kNamespaced ? sys::Bounding::kMustBeEmpty : sys::Bounding::kMayBeFull;
}

bool same_identity(const sys::ProcessReport& a, const sys::ProcessReport& b) {
  return std::ranges::equal(a.uids, b.uids) && std::ranges::equal(a.gids, b.gids) && a.groups == b.groups &&
         a.mount_namespace == b.mount_namespace && a.pid_namespace == b.pid_namespace;
}

std::string keepers_privilege(const Tree& tree) {
  const sys::Bounding bounding = bounding_of(tree.isolation);
  for (const Slot& slot : tree.slots) {
    std::string wrong = sys::privilege_left(slot.report, bounding);
    if (wrong.empty() && tree.proc.valid()) {
      const auto seen = sys::report_of(tree.proc.get(), slot.keeper);
      wrong = seen ? sys::privilege_left(*seen, bounding) : "it is not there";
    }
    if (wrong.empty()) continue;
    return fmt::format("the keeper of {}: {}", name_of(slot), wrong);
  }
  return {};
}

std::string own_privilege(const Tree& tree) {
  const auto seen = sys::report_of(tree.proc.get(), ::getpid());
  std::string wrong = seen ? sys::privilege_left(*seen, bounding_of(tree.isolation)) : "/proc does not know it";
  return wrong.empty() ? wrong : fmt::format("the supervisor: {}", wrong);
}

}  // namespace hooksmtpd::launcher
