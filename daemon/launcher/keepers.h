// The keepers, forked while there is still a privilege to give up: each gets its namespaces, its jail and its identity,
// and loses everything else, before it listens to anybody.

#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/keeper/keeper.h"
#include "daemon/launcher/clone.h"
#include "daemon/launcher/drop.h"
#include "daemon/launcher/jail.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"

namespace hooksmtpd::launcher {

// What one keeper is to be.
struct KeeperPlan {
  keeper::Plan::Child child = keeper::Plan::Child::kHook;
  std::string title;  // for ps, and for its complaints: "keeper of hook policy/1"
  Identity identity;
  std::optional<Jail> jail;              // with namespaces of its own; a plain user's keeper has none of that
  std::vector<std::string> environment;  // of its child
  std::string directory = "/";           // of its child
  std::optional<rlimit> open_files;      // of its child, where it differs from ours
  config::NetworkAccess network = config::NetworkAccess::kNone;  // with a jail only, as is the
  std::string hostname;                                          // that gethostname(2) tells there
  std::vector<std::string> watched;                              // files whose change is told
  std::filesystem::path spool;                                   // the worker's: opened inside the jail
  std::span<const sys::Fd> listeners;                            // the worker's, or the hook's
  const sys::Fd* keys = nullptr;                                 // the keyholder's: a sealed memfd
};

// The namespaces in which a keeper with that plan is born; and what it does there first, with the privileges that it
// has then: its network, its jail, its identity. Throws StartError, std::system_error.
Namespaces namespaces_of(const KeeperPlan& plan);
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
