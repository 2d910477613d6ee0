#include "daemon/launcher/privilege.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/daemon/launcher/world.h"

namespace hooksmtpd::launcher {
namespace {

// What is said of a tree with one keeper that has these namespaces of its own, after `spoil`.
template <class Spoil>
std::string wrong_with(Spoil spoil) {
  Tree tree;
  tree.before = harmless_report();
  for (std::uint64_t& one : tree.before.namespaces) one += 100;
  Slot slot;
  slot.hook = "policy";
  slot.report = harmless_report();
  slot.own = Namespaces::kMount | Namespaces::kPid | Namespaces::kNetwork | Namespaces::kIpc | Namespaces::kUts;
  spoil(tree, slot);
  tree.slots.push_back(std::move(slot));
  return keepers_privilege(tree);
}

}  // namespace

TEST_CASE("a keeper with nothing left and everything of its own is well") {
  CHECK(wrong_with([](Tree&, Slot&) {}).empty());
}

TEST_CASE("a keeper that shares a namespace with us is named") {
  const auto shares = [](std::size_t which) {
    return wrong_with([&](Tree& tree, Slot& slot) { slot.report.namespaces[which] = tree.before.namespaces[which]; });
  };
  CHECK(shares(0) == "the keeper of policy: it has no mount namespace of its own");
  CHECK(shares(1) == "the keeper of policy: it has no pid namespace of its own");
  CHECK(shares(2) == "the keeper of policy: it has no network namespace of its own");
  CHECK(shares(3) == "the keeper of policy: it has no IPC namespace of its own");
  CHECK(shares(4) == "the keeper of policy: it has no host name namespace of its own");
}

TEST_CASE("what need not be its own may be shared: the network of a hook with network = host") {
  CHECK(wrong_with([](Tree& tree, Slot& slot) {
          slot.own = Namespaces::kMount;
          slot.report.namespaces[2] = tree.before.namespaces[2];
        }).empty());
}

TEST_CASE("a keeper without a filter is named where filters are demanded") {
  const auto unfiltered = [](bool demanded) {
    return wrong_with([&](Tree& tree, Slot& slot) {
      slot.report.seccomp = 0;
      tree.demands.filter = demanded;
    });
  };
  CHECK(unfiltered(true) == "the keeper of policy: its system calls are not filtered");
  CHECK(unfiltered(false).empty());
}

}  // namespace hooksmtpd::launcher
