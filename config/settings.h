// Every setting that is one value, in one table: the keys of the file outside [[listener]] and [[hook]], of
// HOOKSMTPD_*, of --set KEY=VALUE, and of `hooksmtpctl configure` and `cget`.

#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace hooksmtpd::config {

// How the value may be spelt in TOML; as text it is always the same without the quotes. kPath: in a file it may be
// relative to that file. kSecretPath: the same, but what was written instead of a path is not repeated. kWords: an
// array, or one string with spaces between the words.
enum class Spelling : std::uint8_t { kText, kBoolean, kInteger, kSize, kDuration, kRange, kPath, kSecretPath, kWords };

struct Setting {
  std::string_view name;  // "banner", "limits.recipients"
  std::string_view help;  // one line
  Spelling spelling;
  bool live;          // `reload` and `configure` can change it; else it takes a restart
  bool per_listener;  // a [[listener]] may have its own
  std::string (*get)(const Config& config);
  std::expected<void, std::string> (*assign)(Config& config, std::string_view text);  // for set()

  // Leaves the Config alone where it fails; the error is a sentence that begins with the key.
  std::expected<void, std::string> set(Config& config, std::string_view text) const;
};

// In the order of the manual page.
std::span<const Setting> settings();

// Keys of one level, in that order: "" has "banner" and "limits", "limits" has "recipients".
std::vector<std::string_view> keys_below(std::string_view path);

// By name, or by the name it had in tcllib's smtpd: "-banner", "-loglevel", "-certfile", with or without the dash. What
// was a flag there (-usetls, -request, -require, -tls1) is set by one here, too: "-usetls" takes "true", and what comes
// back has the name "tls.mode".
const Setting* find_setting(std::string_view name);

// "unknown setting 'bannner' — did you mean 'banner'?"
std::string unknown_setting(std::string_view name);

// Why there is no such key, and never will be: to "ssl3", or a "password" in a file. Empty for all others.
std::string_view refused_key(std::string_view name);

// "limits.recipients" -> "HOOKSMTPD_LIMITS_RECIPIENTS".
std::string environment_name(const Setting& setting);

}  // namespace hooksmtpd::config
