// One child process from fork to wait: what it inherits, and how it and its offspring are killed.

#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "daemon/keeper/keeper.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::keeper {

// A started child, and the ends of its pipes that the supervisor hands to the worker (a hook: stdin, stdout, stderr) or
// keeps (our own programs: control socket, log pipe).
struct Child {
  pid_t pid = -1;
  std::vector<sys::Fd> ends;
};

// Forks and executes `argv`; argv[0] is the path. Returns once execve has succeeded or failed.
struct StartResult {
  Child child;
  std::optional<int> error;  // errno of the call that failed; child.pid is -1 if there was no fork
};
StartResult start(const Plan& plan, const std::vector<std::string>& argv);

// Sends `signal` to the child's process group.
void signal_group(pid_t child, int signal);

// From now on what a child left behind becomes a child of ours when its parent ends, in whatever session it is.
void adopt_orphans(const Plan& plan);

// Ends the child and what it left behind: everything else in our pid namespace; without one its process group and all
// children of ours, whose own children are the next to be ours: again, until none is left. Of child -1: the latter
// only.
void kill_all(const Plan& plan, pid_t child);

// Ends the children of ours that /proc tells of. False: there is none, or nobody can tell.
bool kill_children();

}  // namespace hooksmtpd::keeper
