// What the launcher leaves behind: the processes it forked and the handles it opened while it was root. supervise()
// (supervisor.h) gets it as its only argument, after the drop; from then on nothing here can be made anew.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"
#include "daemon/launcher/clone.h"
#include "daemon/launcher/layers.h"
#include "daemon/sys/fd.h"
#include "daemon/sys/frame.h"
#include "daemon/sys/process_report.h"

namespace hooksmtpd::launcher {

enum class Role : std::uint8_t { kWorker, kKeyholder, kHook };

// One keeper and the place of its child. Its keeper has dropped everything and sent kReport, which the launcher has
// read and checked; nothing runs in it yet.
struct Slot {
  sys::Fd control;  // to the keeper: SOCK_SEQPACKET, non-blocking
  pid_t keeper = -1;
  Role role = Role::kHook;
  std::string hook;                      // its name; empty for others
  std::uint32_t instance = 0;            // of a hook, from 1
  std::vector<std::string> argv;         // the body of kStart; argv[0] is the program's path inside the jail
  sys::ProcessReport report{};           // of the keeper; its child has the same ids and namespaces
  Namespaces own = Namespaces::kShared;  // that it must not share with us
};

// What stands before the name of a socket in the file system.
inline constexpr std::string_view kUnix = "unix:";

// What stands for a hook that listens where listeners have names.
inline std::string hook_listener(const config::Hook& hook) { return "hook." + hook.name; }

struct BoundAddress {
  std::string listener;    // its name, or hook_listener()
  std::string address;     // "127.0.0.1:25", "[::1]:25": the port that was really bound; "unix:/run/smtp.sock"
  bool inherited = false;  // bound by systemd, whose it stays
};

struct Tree {
  config::Config config;
  std::map<std::string, config::Origin> origins;  // who set what in it (config::Loaded)
  std::vector<std::filesystem::path> files;       // that it was read from; none: built-in defaults
  // config::load() with the same request as at start.
  std::function<std::expected<config::Loaded, std::vector<config::Problem>>()> load_config;

  // One worker; a keyholder where a listener speaks TLS; hooks in configured order, instances 1..N of each.
  std::vector<Slot> slots;
  sys::Fd life;     // write end of the life pipe: when it closes, every other process exits
  sys::Fd control;  // runtime_dir/control.sock: bound, listening, non-blocking
  sys::Fd notify;   // datagram socket connected to $NOTIFY_SOCKET; invalid without one
  std::optional<std::chrono::milliseconds> watchdog;  // within which systemd wants to hear of us
  sys::Fd journal;  // connected to journald; invalid unless standard error is the journal
  sys::Fd proc;     // O_PATH directory: the /proc in which the keepers' pids count
  sys::Fd lock;     // held as long as this daemon uses its runtime_dir

  std::vector<BoundAddress> bound;
  Isolation isolation = Isolation::kNone;
  sys::Demands demands;                 // what every process has to be
  sys::ProcessReport before{};          // of ourselves, before the keepers were born
  std::function<void()> lock_in;        // what we give up ourselves, once our log is open; empty: nothing
  std::vector<std::string> missing;     // what the isolation lacks, and why, for people
  std::vector<std::string> warnings;    // of the start itself, to be logged
  std::vector<std::string> start_text;  // lines that show how to send a first message
};

}  // namespace hooksmtpd::launcher
