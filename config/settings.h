// Every setting that is one value, in one table: the keys of the file outside [[listener]] and [[hook]], of
// HOOKSMTPD_*, of --set KEY=VALUE, and of `hooksmtpctl configure` and `cget`.

#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"

namespace hooksmtpd::config {

// How the value may be spelt in TOML; as text it is always the same without the quotes.
enum class Spelling : std::uint8_t { kText, kBoolean, kInteger, kSize, kDuration, kRange };

struct Setting {
  std::string_view name;  // "banner", "limits.recipients"
  std::string_view help;  // one line
  Spelling spelling;
  bool live;  // `reload` and `configure` can change it; else it takes a restart
  std::string (*get)(const Config& config);
  std::expected<void, std::string> (*assign)(Config& config, std::string_view text);  // for set()

  // Leaves the Config alone where it fails; the error is a sentence that begins with the key.
  std::expected<void, std::string> set(Config& config, std::string_view text) const;
};

// In the order of the manual page.
std::span<const Setting> settings();

// By name, or by the name it had in tcllib's smtpd: "-banner", "-loglevel", "-serveraddr", with or without the dash.
const Setting* find_setting(std::string_view name);

// "unknown setting 'bannner' — did you mean 'banner'?"
std::string unknown_setting(std::string_view name);

// "limits.recipients" -> "HOOKSMTPD_LIMITS_RECIPIENTS".
std::string environment_name(const Setting& setting);

}  // namespace hooksmtpd::config
