#include "daemon/worker/hook_pools.h"

#include <algorithm>
#include <utility>

namespace hooksmtpd::worker {

HookPools::HookPools(HookProcess::Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

HookPools::~HookPools() = default;

void HookPools::add(const config::Config& config) {
  for (const config::Hook& hook : config.hooks) {
    auto& pool = pools_[hook.name];
    while (pool.size() < hook.instances) {
      pool.push_back(
          std::make_unique<HookProcess>(surroundings_, hook.name, static_cast<std::uint32_t>(pool.size() + 1)));
    }
  }
}

HookProcess* HookPools::find(const std::string& hook, std::uint32_t instance) {
  const auto pool = pools_.find(hook);
  if (pool == pools_.end() || instance == 0 || instance > pool->second.size()) return nullptr;
  return pool->second[instance - 1].get();
}

HookProcess& HookPools::process_for(const config::Hook& hook, std::uint64_t number) {
  auto& pool = pools_.at(hook.name);
  for (std::size_t i = 0; i < pool.size(); ++i) {
    HookProcess& process = *pool[(number + i) % pool.size()];
    if (process.ready()) return process;
  }
  return *pool[number % pool.size()];
}

bool HookPools::quiet() const {
  return std::ranges::all_of(pools_, [](const auto& entry) {
    return std::ranges::all_of(entry.second, [](const auto& process) { return process->waiting() == 0; });
  });
}

}  // namespace hooksmtpd::worker
