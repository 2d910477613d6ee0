#include "daemon/launcher/environment.h"

#include <cstdlib>
#include <map>

#include "daemon/launcher/folders.h"

namespace hooksmtpd::launcher {
namespace {

using Variables = std::map<std::string, std::string>;

Variables basics() {
  Variables variables{{"PATH", std::string(kPath)}, {"LANG", "C.UTF-8"}};
  if (const char* zone = std::getenv("TZ")) variables["TZ"] = zone;
  return variables;
}

std::vector<std::string> as_environment(const Variables& variables) {
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

}  // namespace

std::vector<std::string> hook_environment(const config::Config& config, const config::Hook& hook,
                                          const std::filesystem::path& sdk) {
  const std::string state = state_folder(config, hook);
  Variables variables{
      {"HOME", state},     {"HOOK_STATE", state}, {"HOOK_NAME", hook.name},  {"HOOK_SDK", sdk},
      {"PYTHONPATH", sdk}, {"NODE_PATH", sdk},    {"PYTHONUNBUFFERED", "1"},  // a hook that buffers its replies would
                                                                              // never answer
  };
  variables.merge(basics());
  for (const auto& [name, value] : hook.environment) variables[name] = value;
  return as_environment(variables);
}

// A turn of the worker's event loop frees what dozens of messages had, and of each size glibc keeps but seven pieces
// within reach (glibc's manual, "Memory Allocation Tunables"; mallopt(3) cannot change that).
std::vector<std::string> worker_environment() {
  Variables variables = basics();
  variables["GLIBC_TUNABLES"] = "glibc.malloc.tcache_count=256";
  return as_environment(variables);
}

}  // namespace hooksmtpd::launcher
