// Whether a hook's command can be started, found out before anything is started.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"

namespace hooksmtpd::launcher {

// From outside the jail: who could put another program in the place of this one? Its file, and the folder that holds
// it, must belong to one of `trusted` and be closed to other writers; a set-user-id or set-group-id file is refused.
// Empty, or what is wrong and what to do about it.
std::string why_not_trusted(const std::string& program, const std::set<uid_t>& trusted);

// The script that `command` hands to a known interpreter, by its absolute name: as much the program as command[0] is.
std::optional<std::string> script_of(const std::vector<std::string>& command);

// From inside the jail, as the user the hook will be: does `command[0]` exist, may it be executed, and are the
// interpreters there that it names ("#!", also by way of env; PT_INTERP of an ELF file)? Empty, or what is wrong.
enum class Seen : std::uint8_t { kFromJail, kFromHere };  // kFromHere: a plain user's hook has no jail
std::string why_not_executable(const std::string& program, Seen seen);

// From inside, as that user: can files be made in this folder of sandbox.write? Empty, or what is wrong.
std::string why_not_writable(const std::filesystem::path& folder);

// From inside: arguments that look like files but are not there.
std::vector<std::string> missing_arguments(const std::vector<std::string>& command);

}  // namespace hooksmtpd::launcher
