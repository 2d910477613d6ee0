// The hooks that come with hooksmtpd: `use = "mbox"` in a [[hook]] is all that such a one needs to be told.

#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/defaults.h"

namespace hooksmtpd::config {

struct ReadyMade {
  std::string_view name;
  std::vector<HookEvent> events;  // that it is asked about, unless `events` says otherwise
  bool stores = false;
  NetworkAccess network = NetworkAccess::kNone;
  std::vector<std::string> listen{};      // as sandbox.listen
  bool web_page = false;                  // there
  std::uint32_t files = Sandbox{}.files;  // as sandbox.files
};

std::span<const ReadyMade> ready_made_hooks();
// Null: there is none of that name.
const ReadyMade* find_ready_made(std::string_view name);

// A hook that does what `one` does: its program, events and sandbox. It is to be named yet.
Hook made_ready(const ReadyMade& one, const Machine& machine);

// Where the program of a hook of ours lies.
std::filesystem::path program_of(const Machine& machine, std::string_view name);

// Adds the hook that makes trees of messages where some hook wants them, and keeps it as `config.mime` has it; takes it
// out where none does. `machine` null: it is there already, if it is needed at all.
void provide_mime_hook(Config& config, const Machine* machine);

// Where the mime hook puts what hook `hook` is to read: a folder that those two alone can enter, below
// runtime_dir/mime.
std::filesystem::path mime_folder(const Config& config, const Hook& hook);

}  // namespace hooksmtpd::config
