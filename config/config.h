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

#include "config/network.h"

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
  std::size_t connections_per_address = 0;      // IPv6: per /64. 0: no limit; loopback is never limited
  std::size_t errors = 100;                     // 5yz replies to one client, then 421 4.7.0
  std::size_t commands = 0;                     // in one session, then 421 4.7.0; 0: no limit
  bool strict_lines = false;                    // refuse text lines over 1,000 octets (§4.5.3.1.6)

  friend bool operator==(const Limits&, const Limits&) = default;
};

// `timeouts.*` in the file. Each ends the connection with 421 4.4.2.
struct Timeouts {
  Milliseconds idle = std::chrono::minutes(5);        // between commands (§4.5.3.2.7)
  Milliseconds command = std::chrono::minutes(1);     // from the first byte of a command line to its last
  Milliseconds data = std::chrono::minutes(3);        // between two pieces of a message (§4.5.3.2.5)
  Milliseconds handshake = std::chrono::seconds(30);  // for TLS's, and before it for a PROXY header
  Milliseconds drain = std::chrono::seconds(30);      // for sessions that are under way when the daemon stops

  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

// Whether clients speak TLS. kStarttls: they may (RFC 3207). kRequired: they must, and get 530 5.7.0 to everything else
// before. kImplicit: from the first byte (RFC 8314).
enum class TlsMode : std::uint8_t { kNone, kStarttls, kRequired, kImplicit };
enum class TlsVersion : std::uint8_t { k10, k11, k12, k13 };
enum class ClientCertificates : std::uint8_t { kNone, kRequest, kRequire };

// A file of certificates, and of its text, as read by load(), the certificates alone: a private key that stands in the
// same file never comes into a Config. Empty text: not read yet.
struct Pem {
  std::filesystem::path file{};
  std::string text{};

  friend bool operator==(const Pem&, const Pem&) = default;
};

// One that the server shows, the server's own first in its chain. Private keys are read by the keyholder, which alone
// has them; this is only where they are.
struct Certificate {
  Pem chain{};
  std::filesystem::path key{};
  std::filesystem::path key_password_file{};  // empty: the key is not encrypted
  Source source{};                            // of the [[tls.sni]]; of tls.certificate for the first

  friend bool operator==(const Certificate&, const Certificate&) = default;
};

// `tls.*` in the file.
struct Tls {
  TlsMode mode = TlsMode::kNone;  // of listeners that do not say
  // The first is for clients that name no other's host; where there is none, the launcher makes one.
  std::vector<Certificate> certificates{};
  TlsVersion min_version = TlsVersion::k12;
  std::string ciphers{};       // OpenSSL's list for TLS up to 1.2; empty: OpenSSL's default
  std::string ciphersuites{};  // the same for TLS 1.3
  ClientCertificates client_certificates = ClientCertificates::kNone;
  std::filesystem::path ca_file{}, ca_dir{};  // whom to believe what clients show
  std::vector<Pem> authorities{};             // ca_file, and the certificates in ca_dir by name

  friend bool operator==(const Tls&, const Tls&) = default;
};

enum class AuthSource : std::uint8_t { kNone, kPasswords, kHook, kAcceptAny };

// `auth.*` in the file: AUTH (RFC 4954).
struct Auth {
  AuthSource source = AuthSource::kNone;  // who knows which client is who; none: AUTH is not offered
  bool required = false;                  // 530 5.7.0 to MAIL and so on before it
  bool before_tls = false;                // offer it to clients without TLS, too
  std::vector<std::string> mechanisms{};  // as in EHLO, upper case; empty: all that the source can do
  std::filesystem::path password_file{};
  std::string passwords{};  // its text, as read by load()

  friend bool operator==(const Auth&, const Auth&) = default;
};

enum class ListenerProtocol : std::uint8_t { kSmtp, kLmtp };

// One [[listener]].
struct Listener {
  std::string name = "smtp";
  // "127.0.0.1:25", "[::1]:25", "localhost:25"; port 0: the kernel picks one; "unix:/run/hooksmtpd/smtp.sock".
  std::vector<std::string> address{};
  ListenerProtocol protocol = ListenerProtocol::kSmtp;
  std::uint32_t socket_mode = 0666;                 // of a unix socket: who may connect
  std::map<std::string, std::string> own{};         // settings of this listener alone, by name: "hostname", "tls.mode"
  std::optional<std::vector<std::string>> hooks{};  // whom to ask, by name; nullopt: all
  std::vector<std::string> hide{};        // EHLO keywords, upper case, that are neither offered nor understood
  std::vector<std::string> add{};         // EHLO lines to add as they are
  bool lenient = false;                   // bear what bad clients do
  std::vector<Network> proxy_protocol{};  // who begins each connection with a PROXY header
  std::vector<Network> xclient{};         // who may say XCLIENT
  Source source{};

  friend bool operator==(const Listener&, const Listener&) = default;
};

// What a hook can be asked about, in the order of hook::Event (proto/hook/event.h), which has hello before them.
enum class HookEvent : std::uint8_t {
  kValidateHost,
  kHelo,
  kStarttls,
  kAuth,
  kValidateSender,
  kValidateRecipient,
  kData,
  kDeliver,
  kDeliverMime,
  kCommand,
  kReset,
  kDisconnect,
  kCancel,
};
inline constexpr std::size_t kHookEvents = 13;

// The name of our own hook that makes a tree of a message for the hooks that want one (`deliver_mime`).
inline constexpr std::string_view kMimeHook = "mime";

// "validate_host" and so on.
std::string_view to_string(HookEvent event);
std::optional<HookEvent> parse_hook_event(std::string_view name);

enum class OnFailure : std::uint8_t { kTempfail, kAccept, kReject };

// What holds for one event of one hook.
struct EventPolicy {
  bool subscribed = false;
  Milliseconds timeout = std::chrono::seconds(10);  // `deliver*`: 60 s; from the writing of the request
  OnFailure on_failure = OnFailure::kTempfail;

  friend bool operator==(const EventPolicy&, const EventPolicy&) = default;
};

// By HookEvent: none subscribed, 60 s for `deliver` and `deliver_mime`.
std::array<EventPolicy, kHookEvents> default_events();

// Which network a hook sees. kLoopback: one of its own, where it can reach itself. kHost: the machine's.
enum class NetworkAccess : std::uint8_t { kNone, kLoopback, kHost };

// [hook.sandbox]
struct Sandbox {
  std::string user;                          // empty: a number of its own from hook_uids; never root
  std::vector<std::filesystem::path> read;   // folders (or files, by their folder), each under its own name
  std::vector<std::filesystem::path> write;  // folders, as `read`
  std::vector<std::string> listen;           // addresses as of a listener: bound outside, inherited by the hook
  NetworkAccess network = NetworkAccess::kNone;

  // Of each instance, with all that it starts.
  std::uint64_t memory = 256u << 20;  // octets; 0: no limit, as of `cpu`
  std::uint32_t processes = 64;       // and threads
  std::uint32_t cpu = 0;              // percent of one core
  std::uint32_t files = 256;          // open in one process

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
  bool line_buffer = false;                        // its standard output: it runs under stdbuf(1)
  bool reload_on_change = false;                   // it is started anew when a file of its command changes
  bool web_page = false;                           // it serves one where it listens; known of ready-made hooks
  std::string options = "{}";                      // a JSON object, handed over in hello
  std::map<std::string, std::string> environment;  // beside PATH, HOME, HOOK_STATE, PYTHONUNBUFFERED
  Sandbox sandbox;
  Source source;          // of the [[hook]]
  Source command_source;  // of its command

  // It gets messages, as they are or as a tree of their parts.
  bool delivers() const { return on(HookEvent::kDeliver).subscribed || on(HookEvent::kDeliverMime).subscribed; }

  // What is executed.
  std::vector<std::string> argv() const;

  EventPolicy& on(HookEvent event) { return events[static_cast<std::size_t>(event)]; }
  const EventPolicy& on(HookEvent event) const { return events[static_cast<std::size_t>(event)]; }

  friend bool operator==(const Hook&, const Hook&) = default;
};

// `mime.*` in the file: what a message may be made of when it is taken apart for `deliver_mime`. More is refused.
struct Mime {
  Milliseconds timeout = std::chrono::seconds(60);
  std::size_t depth = 20;                     // of parts within parts
  std::size_t parts = 1000;                   // in all
  std::uint64_t size = 128ull * 1024 * 1024;  // octets of all parts once they are decoded

  friend bool operator==(const Mime&, const Mime&) = default;
};

// What becomes of a start where a layer of the sandbox is missing. kStrict: as root there is none without all of them,
// for a plain user none without system call filters and Landlock. kBestEffort: what is missing is named, and it goes
// on. kNone: users, jails and no privilege as ever, and nothing beyond that; for measuring.
enum class SandboxMode : std::uint8_t { kStrict, kBestEffort, kNone };

struct Config {
  std::string hostname;  // in greeting, trace headers, EHLO; default: the machine's
  std::string banner = "hooksmtpd";
  LogLevel log_level = LogLevel::kInfo;
  std::vector<Listener> listeners;
  Limits limits;
  Timeouts timeouts;
  Tls tls;
  Auth auth;
  Mime mime;
  std::vector<Hook> hooks;
  SandboxMode sandbox_mode = SandboxMode::kStrict;
  std::uint64_t spool_size = 256ull * 1024 * 1024;                  // octets of the tmpfs that holds messages under way
  std::pair<std::uint32_t, std::uint32_t> hook_uids{60800, 60863};  // first and last
  std::filesystem::path state_dir;    // default /var/lib/hooksmtpd, or $XDG_STATE_HOME/hooksmtpd
  std::filesystem::path runtime_dir;  // default /run/hooksmtpd, or $XDG_RUNTIME_DIR/hooksmtpd

  friend bool operator==(const Config&, const Config&) = default;
};

// Some listener has TLS: there must be somebody who holds the keys.
bool uses_tls(const Config& config);

// What holds for the clients of one listener: its own settings in place of those of all.
Config for_listener(const Config& config, const Listener& listener);

// What those who see private keys need to know: no password, no hook and no environment of one.
Config for_keyholder(const Config& config);

// The form in which the supervisor hands a Config to the worker and the keyholder.
std::string to_json(const Config& config);
// Throws std::runtime_error: only our own supervisor writes what this reads.
Config from_json(std::string_view text);

}  // namespace hooksmtpd::config
