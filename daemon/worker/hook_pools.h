// The processes of every hook.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/worker/hook_process.h"

namespace hooksmtpd::worker {

class HookPools {
 public:
  explicit HookPools(HookProcess::Surroundings surroundings);
  HookPools(const HookPools&) = delete;
  ~HookPools();

  // Makes the processes of hooks that were not there before; they are absent until started.
  void add(const config::Config& config);

  // Null: there is none.
  HookProcess* find(const std::string& hook, std::uint32_t instance);
  // The one that session `number` talks to. It stays with it, unless that one is down and another is not.
  HookProcess& process_for(const config::Hook& hook, std::uint64_t number);

  template <class Visit>
  void for_each(Visit visit) {
    for (auto& [name, pool] : pools_) {
      for (auto& process : pool) visit(*process);
    }
  }

  // Nothing is with any hook, nor waits for one.
  bool quiet() const;

 private:
  HookProcess::Surroundings surroundings_;
  std::map<std::string, std::vector<std::unique_ptr<HookProcess>>, std::less<>> pools_;
};

}  // namespace hooksmtpd::worker
