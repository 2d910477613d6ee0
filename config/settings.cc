#include "config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "config/spelling.h"
#include "config/suggest.h"

namespace hooksmtpd::config {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kMebi = 1ull << 20;
constexpr std::uint64_t kTebi = 1ull << 40;

// A form is how one kind of value is spelt, parsed and printed; the table below gives one to each setting.

struct Hostname {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<std::string> parse(std::string_view text) {
    if (is_hostname(text)) return std::string(text);
    return std::unexpected(
        fmt::format("must be a domain name or an address such as \"[127.0.0.1]\", not {}", in_quotes(text)));
  }
  static std::string print(const std::string& value) { return value; }
};

struct Banner {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<std::string> parse(std::string_view text) {
    // It stands in one reply line beside the host name and the date: printable ASCII (RFC 5321 §4.2), and not much.
    const bool printable = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
    if (printable && !text.empty() && text.size() <= 150) return std::string(text);
    return std::unexpected(fmt::format("must be 1 to 150 printable ASCII characters, not {}", in_quotes(text)));
  }
  static std::string print(const std::string& value) { return value; }
};

struct Level {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<LogLevel> parse(std::string_view text) { return parse_log_level(text); }
  static std::string print(LogLevel value) { return std::string(to_string(value)); }
};

struct Flag {
  static constexpr Spelling kSpelling = Spelling::kBoolean;
  static Parsed<bool> parse(std::string_view text) { return parse_boolean(text); }
  static std::string print(bool value) { return value ? "true" : "false"; }
};

template <std::uint64_t kLeast, std::uint64_t kMost>
struct Count {
  static constexpr Spelling kSpelling = Spelling::kInteger;
  static Parsed<std::uint64_t> parse(std::string_view text) { return parse_number(text, kLeast, kMost); }
  static std::string print(std::uint64_t value) { return fmt::to_string(value); }
};

template <std::uint64_t kLeast, std::uint64_t kMost>
struct Size {
  static constexpr Spelling kSpelling = Spelling::kSize;
  static Parsed<std::uint64_t> parse(std::string_view text) { return parse_size(text, kLeast, kMost); }
  static std::string print(std::uint64_t value) { return size_text(value); }
};

template <Milliseconds::rep kLeast, Milliseconds::rep kMost>
struct Duration {
  static constexpr Spelling kSpelling = Spelling::kDuration;
  static Parsed<Milliseconds> parse(std::string_view text) {
    return parse_duration(text, Milliseconds(kLeast), Milliseconds(kMost));
  }
  static std::string print(Milliseconds value) { return duration_text(value); }
};
using Patience = Duration<1, 24 * 3'600'000>;

struct Uids {
  static constexpr Spelling kSpelling = Spelling::kRange;
  static constexpr std::uint64_t kFirst = 1000, kLast = 4'294'967'293;  // below are the system's; above, -2 and -1
  // The daemon's own where the system has no names for them, and nobody.
  static constexpr std::array<std::uint32_t, 4> kTaken{60797, 60798, 60799, 65534};

  static Parsed<std::pair<std::uint32_t, std::uint32_t>> parse(std::string_view text) {
    const std::size_t dash = std::min(text.find('-'), text.size());
    const auto first = parse_number(text.substr(0, dash), kFirst, kLast);
    const auto last = parse_number(text.substr(std::min(dash + 1, text.size())), kFirst, kLast);
    if (!first || !last || *first > *last) {
      return std::unexpected(fmt::format("must be the first and the last of a range from {} up, such as {}, not {}",
                                         kFirst, in_quotes("60800-60863"), in_quotes(text)));
    }
    const auto taken = std::ranges::find_if(kTaken, [&](auto uid) { return uid >= *first && uid <= *last; });
    if (taken != kTaken.end()) {
      return std::unexpected(fmt::format("must not contain {}, which is not for hooks: {}", *taken, in_quotes(text)));
    }
    return std::pair(static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*last));
  }
  static std::string print(const std::pair<std::uint32_t, std::uint32_t>& value) {
    return fmt::format("{}-{}", value.first, value.second);
  }
};

struct Folder {
  static constexpr Spelling kSpelling = Spelling::kText;
  static Parsed<std::filesystem::path> parse(std::string_view text) {
    const std::filesystem::path path = std::filesystem::path(text).lexically_normal();
    if (path.is_absolute() && path.has_relative_path() && text.find('\0') == std::string_view::npos) return path;
    return std::unexpected(fmt::format("must be the absolute path of a folder, not {}", in_quotes(text)));
  }
  static std::string print(const std::filesystem::path& value) { return value.string(); }
};

// kPath leads from the Config to the value: &Config::limits, &Limits::recipients.
template <class Form, auto... kPath>
std::string get(const Config& config) {
  return Form::print((config.*....*kPath));
}
template <class Form, auto... kPath>
Parsed<void> assign(Config& config, std::string_view text) {
  auto value = Form::parse(text);
  if (!value) return std::unexpected(std::move(value.error()));
  (config.*....*kPath) = std::move(*value);
  return {};
}

enum class Takes : bool { kRestart, kReload };

template <class Form, auto... kPath>
constexpr Setting row(std::string_view name, Takes takes, std::string_view help) {
  return {name, help, Form::kSpelling, takes == Takes::kReload, get<Form, kPath...>, assign<Form, kPath...>};
}

using enum Takes;
constexpr auto kLimits = &Config::limits;
constexpr auto kTimeouts = &Config::timeouts;

constexpr std::array kSettings{
    row<Hostname, &Config::hostname>("hostname", kReload, "name of this server in greeting, EHLO and trace headers"),
    row<Banner, &Config::banner>("banner", kReload, "software name in the greeting"),
    row<Level, &Config::log_level>("log_level", kReload, "trace, debug, info, warn or error"),

    row<Size<1, kTebi>, kLimits, &Limits::message_size>("limits.message_size", kReload, "largest message (SIZE)"),
    row<Count<1, 10'000>, kLimits, &Limits::recipients>("limits.recipients", kReload, "recipients of one message"),
    row<Count<0, kMillion>, kLimits, &Limits::connections>("limits.connections", kReload,
                                                           "connections in all; 0: as many as the system allows"),
    row<Count<0, kMillion>, kLimits, &Limits::connections_per_address>(
        "limits.connections_per_address", kReload, "connections of one client address; 0: no limit"),
    row<Count<1, kMillion>, kLimits, &Limits::errors>("limits.errors", kReload,
                                                      "5yz replies in one session, then it ends"),
    row<Count<0, 1000 * kMillion>, kLimits, &Limits::commands>("limits.commands", kReload,
                                                               "commands in one session; 0: no limit"),
    row<Flag, kLimits, &Limits::strict_lines>("limits.strict_lines", kReload, "refuse text lines over 1,000 octets"),

    row<Patience, kTimeouts, &Timeouts::idle>("timeouts.idle", kReload, "between two commands"),
    row<Patience, kTimeouts, &Timeouts::command>("timeouts.command", kReload, "within one command line"),
    row<Patience, kTimeouts, &Timeouts::data>("timeouts.data", kReload, "between two pieces of a message"),
    row<Duration<0, 24 * 3'600'000>, kTimeouts, &Timeouts::drain>("timeouts.drain", kReload,
                                                                  "for open sessions when the daemon stops"),

    row<Size<kMebi, kTebi>, &Config::spool_size>("spool_size", kRestart, "room for messages under way"),
    row<Uids, &Config::hook_uids>("hook_uids", kRestart, "user numbers for hooks, first-last"),
    row<Folder, &Config::state_dir>("state_dir", kRestart, "folder of what hooks keep"),
    row<Folder, &Config::runtime_dir>("runtime_dir", kRestart, "folder of the control socket and the spool"),
};

struct Alias {
  std::string_view seed, name;
};
constexpr std::array kAliases{Alias{"loglevel", "log_level"}, Alias{"serveraddr", "hostname"}};

}  // namespace

std::span<const Setting> settings() { return kSettings; }

const Setting* find_setting(std::string_view name) {
  if (name.starts_with('-')) name.remove_prefix(1);
  if (const auto alias = std::ranges::find(kAliases, name, &Alias::seed); alias != kAliases.end()) name = alias->name;
  const auto found = std::ranges::find(kSettings, name, &Setting::name);
  return found == kSettings.end() ? nullptr : &*found;
}

std::expected<void, std::string> Setting::set(Config& config, std::string_view text) const {
  const auto done = assign(config, text);
  if (!done) return std::unexpected(fmt::format("{} {}", name, done.error()));
  return {};
}

std::string unknown_setting(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Setting& setting : kSettings) known.push_back(setting.name);
  return fmt::format("unknown setting '{}'{}", printable(name), did_you_mean(name, known));
}

std::string environment_name(const Setting& setting) {
  std::string name = "HOOKSMTPD_";
  for (const char c : setting.name)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

}  // namespace hooksmtpd::config
