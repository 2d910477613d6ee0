// The whole configuration as one value. Whoever holds a Config got it from config::load() (config/load.h) or
// from_json() and need not check it again.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hooksmtpd::config {

using Milliseconds = std::chrono::milliseconds;

// Where something stands in a configuration file; line 0: it came from elsewhere (default, command line, environment).
struct Source {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  friend bool operator==(const Source&, const Source&) = default;
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };

// Every number a client can run into. `limits.*` in the file; octets unless the name says otherwise.
struct Limits {
  std::size_t message_size = 25 * 1024 * 1024;  // SIZE (RFC 1870): a larger message gets 552 5.3.4
  std::size_t recipients = 1000;                // of one message: the next gets 452 4.5.3
  std::size_t connections = 0;                  // in all; 0: as many as RLIMIT_NOFILE allows
  std::size_t connections_per_address = 0;      // 0: no limit; loopback is never limited
  std::size_t errors = 100;                     // 5yz replies to one client, then 421 4.7.0
  std::size_t commands = 0;                     // in one session, then 421 4.7.0; 0: no limit
  bool strict_lines = false;                    // refuse text lines over 1,000 octets (§4.5.3.1.6)

  friend bool operator==(const Limits&, const Limits&) = default;
};

// `timeouts.*` in the file. Each ends the connection with 421 4.4.2.
struct Timeouts {
  Milliseconds idle = std::chrono::minutes(5);     // between commands (§4.5.3.2.7)
  Milliseconds command = std::chrono::minutes(1);  // from the first byte of a command line to its last
  Milliseconds data = std::chrono::minutes(3);     // between two pieces of a message (§4.5.3.2.5)
  Milliseconds drain = std::chrono::seconds(30);   // for sessions that are under way when the daemon stops

  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

// One [[listener]].
struct Listener {
  std::string name = "smtp";
  std::vector<std::string> address;  // "127.0.0.1:25", "[::1]:25", "localhost:25"; port 0: the kernel picks one
  Source source;

  friend bool operator==(const Listener&, const Listener&) = default;
};

enum class HookEvent : std::uint8_t { kValidateHost, kValidateSender, kValidateRecipient, kDeliver, kDisconnect };
inline constexpr std::size_t kHookEvents = 5;

// "validate_host" and so on.
std::string_view to_string(HookEvent event);
std::optional<HookEvent> parse_hook_event(std::string_view name);

enum class OnFailure : std::uint8_t { kTempfail, kAccept, kReject };

// What holds for one event of one hook.
struct EventPolicy {
  bool subscribed = false;
  Milliseconds timeout = std::chrono::seconds(10);  // `deliver`: 60 s; from the writing of the request
  OnFailure on_failure = OnFailure::kTempfail;

  friend bool operator==(const EventPolicy&, const EventPolicy&) = default;
};

// By HookEvent: none subscribed, 60 s for `deliver`.
std::array<EventPolicy, kHookEvents> default_events();

// [hook.sandbox]
struct Sandbox {
  std::string user;                         // empty: a number of its own from hook_uids; never root
  std::vector<std::filesystem::path> read;  // folders (or files, by their folder), each under its own name

  friend bool operator==(const Sandbox&, const Sandbox&) = default;
};

// One [[hook]], in the order in which hooks are asked.
struct Hook {
  std::string name;                                                // [a-z0-9-]{1,32}: also a folder name
  std::vector<std::string> command;                                // an argument vector; command[0] is an absolute path
  std::array<EventPolicy, kHookEvents> events = default_events();  // by HookEvent
  Milliseconds start_timeout = std::chrono::seconds(10);
  std::uint32_t instances = 1;                     // 1–64
  bool stores = false;                             // keeps messages: policy must stand before it
  std::string options = "{}";                      // a JSON object, handed over in hello
  std::map<std::string, std::string> environment;  // beside PATH, HOME, HOOK_STATE, PYTHONUNBUFFERED
  Sandbox sandbox;
  Source source;          // of the [[hook]]
  Source command_source;  // of its command

  EventPolicy& on(HookEvent event) { return events[static_cast<std::size_t>(event)]; }
  const EventPolicy& on(HookEvent event) const { return events[static_cast<std::size_t>(event)]; }

  friend bool operator==(const Hook&, const Hook&) = default;
};

struct Config {
  std::string hostname;  // in greeting, trace headers, EHLO; default: the machine's
  std::string banner = "hooksmtpd";
  LogLevel log_level = LogLevel::kInfo;
  std::vector<Listener> listeners;
  Limits limits;
  Timeouts timeouts;
  std::vector<Hook> hooks;
  std::uint64_t spool_size = 256ull * 1024 * 1024;                  // octets of the tmpfs that holds messages under way
  std::pair<std::uint32_t, std::uint32_t> hook_uids{60800, 60863};  // first and last
  std::filesystem::path state_dir;    // default /var/lib/hooksmtpd, or $XDG_STATE_HOME/hooksmtpd
  std::filesystem::path runtime_dir;  // default /run/hooksmtpd, or $XDG_RUNTIME_DIR/hooksmtpd

  friend bool operator==(const Config&, const Config&) = default;
};

// The form in which the supervisor hands a Config to the worker.
std::string to_json(const Config& config);
// Throws std::runtime_error: only our own supervisor writes what this reads.
Config from_json(std::string_view text);

}  // namespace hooksmtpd::config
