// The keepers, forked while there is still a privilege to give up: each gets its namespaces, its jail and its identity,
// and loses everything else, before it listens to anybody.

#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/keeper/keeper.h"
#include "daemon/launcher/cgroup.h"
#include "daemon/launcher/clone.h"
#include "daemon/launcher/drop.h"
#include "daemon/launcher/jail.h"
#include "daemon/launcher/layers.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/process_report.h"
#include "daemon/sys/rlimits.h"
#include "daemon/sys/sandbox.h"

namespace hooksmtpd::launcher {

// What one keeper is to be.
struct KeeperPlan {
  keeper::Plan::Child child = keeper::Plan::Child::kHook;
  std::string title;  // for ps, and for its complaints: "keeper of hook policy/1"
  Identity identity;
  Namespaces namespaces = Namespaces::kShared;
  Jail view;              // what it sees: by a jail, where it has a mount namespace, and by Landlock
  sys::OwnLayers layers;  // that it puts in force for itself and its child
  sys::Demands demands;   // what they have to be then
  sys::ResourceLimits limits{{RLIMIT_CORE, 0}};  // of both
  std::vector<std::string> environment;          // of its child
  std::string directory = "/";                   // of its child
  sys::ResourceLimits child_limits;              // of its child, beside these
  config::NetworkAccess network = config::NetworkAccess::kNone;
  bool names_folders = false;          // its profile does: sandbox.read, sandbox.write
  std::string hostname;                // that gethostname(2) tells there, where it is its own
  std::vector<std::string> watched;    // files whose change is told
  HookGroup group;                     // that its child joins
  std::filesystem::path spool;         // the worker's: opened inside the jail
  std::span<const sys::Fd> listeners;  // the worker's, or the hook's
  const sys::Fd* keys = nullptr;       // the keyholder's: a sealed memfd
};

// In which namespaces of its own a process with that network is born.
Namespaces namespaces(const Layers& layers, config::NetworkAccess network);

// What a keeper does first, with the privileges that it has then: its network, its jail, its identity; and then without
// any: Landlock, its filter of system calls. Throws StartError, std::system_error.
void lock_in(const KeeperPlan& plan);

// A keeper under way. It is in its place once await_keeper() has returned.
struct StartedKeeper {
  pid_t pid = -1;
  sys::Fd control;
  sys::Fd complaint;
};

// `main_argv` is what main() got: the keeper writes its title there.
StartedKeeper start_keeper(const KeeperPlan& plan, const sys::Fd& life, char** main_argv);

// Waits for its report. Throws StartError with the keeper's own words.
sys::ProcessReport await_keeper(const StartedKeeper& keeper, const KeeperPlan& plan);

}  // namespace hooksmtpd::launcher
