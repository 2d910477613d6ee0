// Where what hooks need lies on this machine: installed PREFIX/bin and PREFIX/libexec/hooksmtpd, or one build tree.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hooksmtpd::ctl {

// The folder with the SDKs, HOOK_SDK of every hook; empty: it is not there.
std::filesystem::path sdk_folder();

// The program hooksmtpd beside us.
std::filesystem::path daemon_program();

// A command as it can be started from any folder: what names a file from here on gets its whole path.
std::vector<std::string> anywhere(std::vector<std::string> command);

// What a command is called: the last part of its program, without an extension; of an interpreter with a script, the
// script's.
std::string name_of(const std::vector<std::string>& command);

}  // namespace hooksmtpd::ctl
