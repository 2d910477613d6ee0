// hooksmtpctl hook test, replay and new: tools for who writes hooks. They need no daemon and no privilege.

#pragma once

#include "daemon/ctl/command.h"

namespace hooksmtpd::ctl {

// Adds them to the group `hook`. The one that is parsed runs and sets context.status: 0, 1 if there is something to
// find fault with, or one of sysexits.h.
void add_hook_test(CLI::App& group, Context& context);
void add_hook_replay(CLI::App& group, Context& context);
void add_hook_new(CLI::App& group, Context& context);

}  // namespace hooksmtpd::ctl
