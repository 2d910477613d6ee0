// One plan per slot of the tree: the worker's keeper first, then one per instance of each hook.

#pragma once

#include <sys/resource.h>

#include <span>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/identities.h"
#include "daemon/launcher/keepers.h"
#include "daemon/launcher/programs.h"
#include "daemon/launcher/tree.h"

namespace hooksmtpd::launcher {

struct SlotPlan {
  KeeperPlan keeper;
  Slot slot;  // what is known of it before it is started
};

struct PlanRequest {
  const config::Config& config;
  const Identities& identities;
  const Programs& programs;
  std::span<const sys::Fd> listeners;
  std::span<const BoundAddress> bound;  // of the same index
  Isolation isolation;
  rlimit open_files;  // of the hooks: ours is raised
};
// As root it runs the worker, dropped, to learn what its jail must hold.
std::vector<SlotPlan> plan_slots(const PlanRequest& request);

// Forks them all, then hears from each. Throws StartError.
std::vector<Slot> start_slots(std::vector<SlotPlan> plans, const sys::Fd& life, char** main_argv);

}  // namespace hooksmtpd::launcher
