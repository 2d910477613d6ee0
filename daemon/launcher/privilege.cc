#include "daemon/launcher/privilege.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

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

struct Namespace {
  Namespaces kind;
  std::string_view name;
};
// As in ProcessReport::namespaces.
constexpr std::array kNamespaces{Namespace{Namespaces::kMount, "mount"}, Namespace{Namespaces::kPid, "pid"},
                                 Namespace{Namespaces::kNetwork, "network"}, Namespace{Namespaces::kIpc, "IPC"},
                                 Namespace{Namespaces::kUts, "host name"}};

// The first namespace that should be the keeper's own and is ours, for people.
std::string shared_with_us(const Slot& slot, const sys::ProcessReport& us) {
  for (std::size_t i = 0; i < kNamespaces.size(); ++i) {
    if (!has(slot.own, kNamespaces[i].kind) || slot.report.namespaces[i] != us.namespaces[i]) continue;
    return fmt::format("it has no {} namespace of its own", kNamespaces[i].name);
  }
  return {};
}

}  // namespace

bool same_identity(const sys::ProcessReport& a, const sys::ProcessReport& b) {
  return std::ranges::equal(a.uids, b.uids) && std::ranges::equal(a.gids, b.gids) && a.groups == b.groups &&
         std::ranges::equal(a.namespaces, b.namespaces);
}

std::string keepers_privilege(const Tree& tree) {
  for (const Slot& slot : tree.slots) {
    std::string wrong = sys::privilege_left(slot.report, tree.demands);
    if (wrong.empty()) wrong = shared_with_us(slot, tree.before);
    if (wrong.empty() && tree.proc.valid()) {
      const auto seen = sys::report_of(tree.proc.get(), slot.keeper);
      wrong = seen ? sys::privilege_left(*seen, tree.demands) : "it is not there";
    }
    if (wrong.empty()) continue;
    return fmt::format("the keeper of {}: {}", name_of(slot), wrong);
  }
  return {};
}

std::string own_privilege(const Tree& tree) {
  const auto seen = sys::report_of(tree.proc.get(), ::getpid());
  std::string wrong = seen ? sys::privilege_left(*seen, tree.demands) : "/proc does not know it";
  return wrong.empty() ? wrong : fmt::format("the supervisor: {}", wrong);
}

}  // namespace hooksmtpd::launcher
