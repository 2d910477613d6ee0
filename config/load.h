// How a Config comes about: built-in defaults, under the files, under HOOKSMTPD_* variables, under the command line.
//
// The files are /etc/hooksmtpd/hooksmtpd.toml, or the one given, and then conf.d/*.toml beside it in the order of their
// names. Of a setting that stands in several files the last holds; [[listener]] and [[hook]] add up. Nothing is taken
// from a configuration that has any error, and all errors are told at once.

#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/defaults.h"

namespace hooksmtpd::config {

struct Setting;

inline constexpr const char* kDefaultFile = "/etc/hooksmtpd/hooksmtpd.toml";

enum class Severity : std::uint8_t { kError, kWarning, kInfo };

struct Problem {
  Severity severity = Severity::kError;
  Source where;  // line 0: `file` says it all ("--listen", "HOOKSMTPD_BANNER", a file that cannot be read), or empty
  std::string text;  // what is wrong and what to do about it

  friend bool operator==(const Problem&, const Problem&) = default;
};

// "/etc/hooksmtpd/hooksmtpd.toml:3:1: unknown key 'bannner' — did you mean 'banner'?"; a warning says so in between.
std::string to_string(const Problem& problem);
// One problem a line, no line end after the last.
std::string to_string(std::span<const Problem> problems);

// Who set a value.
struct Origin {
  enum class Kind : std::uint8_t { kDefault, kFile, kEnvironment, kCommandLine, kControl };
  Kind kind = Kind::kDefault;
  Source source;  // of kFile

  friend bool operator==(const Origin&, const Origin&) = default;
};
// "default", "FILE:LINE:COLUMN", "environment", "command line", "configure".
std::string to_string(const Origin& origin);

// By settings key, "listener.NAME" and "hook.NAME".
using Origins = std::map<std::string, Origin>;

// Where to look for a mistake in a setting: its place in a file, "HOOKSMTPD_…" or "--set"; else empty.
Source place_of(const Origins& origins, std::string_view key);

// What to load. The same Request serves every reload, so its `file` should be absolute.
struct Request {
  std::optional<std::filesystem::path> file;  // --config FILE: must exist. Not set: kDefaultFile, where it exists
  bool defaults_only = false;                 // --defaults: read no file
  std::vector<std::string> listen;            // --listen ADDR:PORT: instead of all listeners, one named "smtp"
  std::vector<std::string> set;               // --set KEY=VALUE
  Machine machine;
};

struct Loaded {
  Config config;
  Origins origins{};
  std::vector<std::filesystem::path> files{};  // that were read; none: built-in defaults
  // Files that the configuration names and that were read too, under each name that leads to them through symbolic
  // links: a reload must find them again.
  std::vector<std::filesystem::path> read{};
  std::vector<Problem> warnings{};  // kWarning and kInfo
};

// Never empty where it fails.
std::expected<Loaded, std::vector<Problem>> load(const Request& request);

// The same from memory. Relative names inside a text are taken from the folder of its `name`. `named`: the files that
// the configuration may name, such as certificates; there are no others.
struct FileText {
  std::filesystem::path name;  // absolute
  std::string text;
};
std::expected<Loaded, std::vector<Problem>> load_texts(std::span<const FileText> files, const Request& request,
                                                       std::span<const FileText> named = {});

// What holds with one setting changed by `configure` in what is running. A file that the setting names is read,
// and the whole is checked as by load().
std::expected<Loaded, std::vector<Problem>> with_setting(const Loaded& running, const Setting& setting,
                                                         std::string_view value);

}  // namespace hooksmtpd::config
