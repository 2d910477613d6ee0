// The configuration that is in force: what was read at start, what `reload` put in its place, and what `configure`
// changed in memory since (it lasts until the next reload). Changes all or nothing: first a proposal, which others may
// still refuse, then accept().

#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/load.h"
#include "config/reload.h"

namespace hooksmtpd::launcher {

// Why something that was asked for is not done. The kinds tell hooksmtpctl its exit status.
struct Refusal {
  enum class Kind : std::uint8_t { kUsage, kConfig, kRestartNeeded, kUnavailable };
  Kind kind;
  std::string error;       // a sentence for people; several lines where the configuration has several errors
  std::string suggestion;  // what to do about it; may be empty

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

class LiveConfig {
 public:
  using Load = std::function<std::expected<config::Loaded, std::vector<config::Problem>>()>;

  // `loaded` is what the daemon started with.
  LiveConfig(config::Loaded loaded, Load load);

  const config::Config& current() const { return loaded_.config; }
  const std::vector<std::filesystem::path>& files() const { return loaded_.files; }

  struct Value {
    std::string key, value, origin, help;
  };
  // Every setting, where `key` is empty.
  std::expected<std::vector<Value>, Refusal> get(std::string_view key) const;

  struct Changed {
    config::Changes changes;
    std::vector<config::Problem> warnings;
  };
  // What would be in force, checked as far as it can be without asking anybody.
  struct Proposal {
    config::Loaded loaded;
    Changed changed;
  };
  // As the files have it now.
  std::expected<Proposal, Refusal> reload() const;
  std::expected<Proposal, Refusal> configure(std::string_view key, std::string_view value) const;
  Changed accept(Proposal proposal);

 private:
  config::Changes changes_to(const config::Config& wanted) const;

  config::Loaded loaded_;
  Load load_;
  config::Keyholder keyholder_;
};

}  // namespace hooksmtpd::launcher
