#include "daemon/launcher/plans.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "daemon/launcher/environment.h"
#include "daemon/launcher/folders.h"
#include "daemon/launcher/mapped_files.h"
#include "daemon/launcher/views.h"

namespace hooksmtpd::launcher {
namespace {

// Beyond the size of the spool, so that what does not fit is told as a full disk, as everywhere.
constexpr std::uint64_t kMore = 1024 * 1024;

constexpr std::size_t kFirstListener = 5;  // the worker's descriptors: see keeper.h

// With the network that it has by now.
void lock_in_by(const Layers& layers, KeeperPlan& keeper) {
  keeper.namespaces = namespaces(layers, keeper.network);
  keeper.layers = layers.own();
  keeper.demands = layers.demands();
}

SlotPlan plan_worker(const PlanRequest& request) {
  SlotPlan plan;
  plan.slot.role = Role::kWorker;
  plan.slot.argv = {request.programs.worker};
  std::size_t descriptor = kFirstListener;
  for (const BoundAddress& one : request.bound.first(request.listeners.size())) {
    plan.slot.argv.push_back(fmt::format("{}={}", descriptor++, one.listener));
  }
  plan.slot.argv.insert(plan.slot.argv.end(),
                        {"--life", std::to_string(descriptor), "--isolation",
                         std::string(to_string(request.layers.level())), "--sandbox", to_string(request.layers.own())});

  plan.keeper.child = keeper::Plan::Child::kWorker;
  plan.keeper.title = "keeper of the worker";
  plan.keeper.identity = request.identities.worker;
  plan.keeper.environment = worker_environment();
  plan.keeper.hostname = request.config.hostname;
  plan.keeper.spool = spool_folder(request.config);
  plan.keeper.listeners = request.listeners;
  plan.keeper.view = worker_jail(request.config, mapped_files(request.programs.worker, request.identities.worker));
  lock_in_by(request.layers, plan.keeper);
  plan.keeper.limits.push_back({RLIMIT_FSIZE, request.config.spool_size + kMore});
  return plan;
}

SlotPlan plan_keyholder(const PlanRequest& request) {
  SlotPlan plan;
  plan.slot.role = Role::kKeyholder;
  plan.slot.argv = {request.programs.keyholder, "--life", std::to_string(kFirstListener),  // it has no listener
                    "--sandbox", to_string(request.layers.own())};

  plan.keeper.child = keeper::Plan::Child::kKeyholder;
  plan.keeper.title = "keeper of the keyholder";
  plan.keeper.identity = request.identities.keyholder;
  plan.keeper.environment = worker_environment();
  plan.keeper.hostname = request.config.hostname;
  plan.keeper.keys = request.keys;
  plan.keeper.view =
      keyholder_jail(request.config, mapped_files(request.programs.keyholder, request.identities.keyholder));
  lock_in_by(request.layers, plan.keeper);
  return plan;
}

// Where mail comes in, for a hook that tells people.
std::string smtp_addresses(const PlanRequest& request) {
  std::string addresses;
  for (const BoundAddress& one : request.bound.first(request.listeners.size())) {
    addresses.append(addresses.empty() ? "" : " ").append(one.address);
  }
  return addresses;
}

// What a hook is made of, as far as its command names it.
std::vector<std::string> files_of(const config::Hook& hook) {
  std::vector<std::string> files;
  for (const std::string& word : hook.command) {
    if (word.starts_with('/')) files.push_back(word);
  }
  return files;
}

// Whether RLIMIT_NPROC counts the processes of a user namespace for themselves.
bool counted_by_user_namespace() {
  utsname kernel{};
  int major = 0;
  int minor = 0;
  return ::uname(&kernel) == 0 && std::sscanf(kernel.release, "%d.%d", &major, &minor) == 2 &&
         std::pair(major, minor) >= std::pair(5, 14);
}

// What no group counts, or where there is none. RLIMIT_NPROC is of a user, whose only processes these are, or of an
// instance's own user namespace; with a user of another name it would count strangers. RLIMIT_AS would be no measure of
// memory: Node reserves far more than it uses.
sys::ResourceLimits limits_of(const PlanRequest& request, const config::Hook& hook) {
  sys::ResourceLimits limits{{RLIMIT_NOFILE, std::min<rlim_t>(hook.sandbox.files, request.open_files.rlim_max)}};
  if (request.groups.has(Controller::kProcesses)) return limits;
  const rlim_t one = hook.sandbox.processes + 1ull;  // and its keeper
  if (request.identities.separate) {
    if (hook.sandbox.user.empty()) limits.push_back({RLIMIT_NPROC, hook.instances * one});
  } else if (request.layers.has(Layer::Kind::kJails) && counted_by_user_namespace()) {
    limits.push_back({RLIMIT_NPROC, one});
  }
  return limits;
}

}  // namespace

SlotPlan plan_hook(const PlanRequest& request, std::size_t index, std::uint32_t instance) {
  const config::Hook& hook = request.config.hooks[index];
  SlotPlan plan;
  plan.slot.hook = hook.name;
  plan.slot.instance = instance;
  plan.slot.argv = hook.argv();

  plan.keeper.title = fmt::format("keeper of {}/{}", hook.name, instance);
  plan.keeper.identity = request.identities.hooks[index];
  plan.keeper.environment = hook_environment(request.config, hook, sdk_folder(request.programs));
  plan.keeper.hostname = request.config.hostname;
  plan.keeper.environment.push_back("HOOK_HOSTNAME=" + request.config.hostname);
  plan.keeper.environment.push_back("HOOK_SMTP=" + smtp_addresses(request));
  plan.keeper.directory = state_folder(request.config, hook);
  plan.keeper.child_limits = limits_of(request, hook);
  plan.keeper.group = make_group(request.groups, fmt::format("{}.{}", hook.name, instance), hook.sandbox);
  if (index < request.of_hooks.size()) plan.keeper.listeners = request.of_hooks[index];
  if (hook.reload_on_change) plan.keeper.watched = files_of(hook);
  plan.keeper.view =
      hook_jail(request.config, hook, {.identity = plan.keeper.identity, .sdk = sdk_folder(request.programs)});
  plan.keeper.network = hook.sandbox.network;
  plan.keeper.names_folders = !hook.sandbox.read.empty() || !hook.sandbox.write.empty();
  lock_in_by(request.layers, plan.keeper);
  return plan;
}

std::vector<SlotPlan> plan_slots(const PlanRequest& request) {
  std::vector<SlotPlan> plans;
  plans.push_back(plan_worker(request));
  if (request.keys != nullptr) plans.push_back(plan_keyholder(request));
  for (std::size_t index = 0; index < request.config.hooks.size(); ++index) {
    for (std::uint32_t instance = 1; instance <= request.config.hooks[index].instances; ++instance) {
      plans.push_back(plan_hook(request, index, instance));
    }
  }
  return plans;
}

std::vector<Slot> start_slots(std::vector<SlotPlan> plans, const sys::Fd& life, char** main_argv) {
  std::vector<StartedKeeper> started;
  for (const SlotPlan& plan : plans) started.push_back(start_keeper(plan.keeper, life, main_argv));
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    Slot& slot = plans[i].slot;
    slot.report = await_keeper(started[i], plans[i].keeper);
    slot.keeper = started[i].pid;
    slot.own = plans[i].keeper.namespaces;
    slot.control = std::move(started[i].control);
    slots.push_back(std::move(slot));
  }
  return slots;
}

}  // namespace hooksmtpd::launcher
