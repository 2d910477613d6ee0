// One plan per slot of the tree: the keeper of the worker, of the keyholder, of each instance of each hook.

#pragma once

#include <sys/resource.h>

#include <span>
#include <vector>

#include "config/config.h"
#include "daemon/launcher/cgroup.h"
#include "daemon/launcher/identities.h"
#include "daemon/launcher/keepers.h"
#include "daemon/launcher/layers.h"
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
  std::span<const BoundAddress> bound;             // of the same index; what hooks listen on comes behind
  std::span<const std::vector<sys::Fd>> of_hooks;  // listeners, by index in Config::hooks
  const sys::Fd* keys;                             // what the keyholder gets; null: there is none
  const Layers& layers;
  rlimit open_files;  // as we found it: ours is raised
  const GroupFolders& groups;
};
// One instance of the hook `index`.
SlotPlan plan_hook(const PlanRequest& request, std::size_t index, std::uint32_t instance);

// As root it runs worker and keyholder, dropped, to learn what their jails must hold.
std::vector<SlotPlan> plan_slots(const PlanRequest& request);

// Forks them all, then hears from each. Throws StartError.
std::vector<Slot> start_slots(std::vector<SlotPlan> plans, const sys::Fd& life, char** main_argv);

}  // namespace hooksmtpd::launcher
