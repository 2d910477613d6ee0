#include "daemon/launcher/live_config.h"

#include <fmt/format.h>

#include "config/settings.h"
#include "daemon/launcher/comma_list.h"
#include "daemon/launcher/kept_process.h"

namespace hooksmtpd::launcher {
namespace {

Refusal refuse(Refusal::Kind kind, std::string error, std::string suggestion = {}) {
  return {.kind = kind, .error = std::move(error), .suggestion = std::move(suggestion)};
}

}  // namespace

LiveConfig::LiveConfig(config::Loaded loaded, Load load)
    : loaded_(std::move(loaded)),
      load_(std::move(load)),
      keyholder_(config::uses_tls(loaded_.config) ? config::Keyholder::kThere : config::Keyholder::kMissing) {}

config::Changes LiveConfig::changes_to(const config::Config& wanted) const {
  config::Changes changes = config::compare(current(), wanted, keyholder_);
  if (config::uses_tls(wanted) && wanted.tls.certificates.empty()) {
    changes.restart_needed.push_back("tls.certificate (one of our own is made at start only)");
  }
  return changes;
}

std::expected<std::vector<LiveConfig::Value>, Refusal> LiveConfig::get(std::string_view key) const {
  const config::Setting* wanted = key.empty() ? nullptr : config::find_setting(key);
  if (!key.empty() && wanted == nullptr) {
    return std::unexpected(refuse(Refusal::Kind::kUsage, config::unknown_setting(key), "hooksmtpctl cget lists all"));
  }
  std::vector<Value> values;
  for (const config::Setting& setting : config::settings()) {
    if (wanted != nullptr && setting.name != wanted->name) continue;
    const auto origin = loaded_.origins.find(std::string(setting.name));
    values.push_back({.key = std::string(setting.name),
                      .value = setting.get(current()),
                      .origin = config::to_string(origin == loaded_.origins.end() ? config::Origin{} : origin->second),
                      .help = std::string(setting.help)});
  }
  return values;
}

std::expected<LiveConfig::Proposal, Refusal> LiveConfig::reload() const {
  auto loaded = load_();
  if (!loaded) return std::unexpected(refuse(Refusal::Kind::kConfig, config::to_string(loaded.error())));
  config::Changes changes = changes_to(loaded->config);
  if (!changes.restart_needed.empty()) {
    return std::unexpected(refuse(Refusal::Kind::kRestartNeeded,
                                  fmt::format("restart needed: {}", comma_list(changes.restart_needed)),
                                  "nothing was changed; restart hooksmtpd, or take these back and reload again"));
  }
  for (const config::Hook& hook : loaded->config.hooks) {
    if (KeptProcess::fits(hook.command)) continue;
    return std::unexpected(
        refuse(Refusal::Kind::kConfig, fmt::format("hook.{}.command: longer than 64 KiB", hook.name)));
  }
  std::vector<config::Problem> warnings = std::move(loaded->warnings);
  return Proposal{.loaded = std::move(*loaded),
                  .changed = {.changes = std::move(changes), .warnings = std::move(warnings)}};
}

std::expected<LiveConfig::Proposal, Refusal> LiveConfig::configure(std::string_view key, std::string_view value) const {
  const config::Setting* setting = config::find_setting(key);
  if (setting == nullptr) {
    return std::unexpected(refuse(Refusal::Kind::kUsage, config::unknown_setting(key), "hooksmtpctl cget lists all"));
  }
  if (!setting->live) {
    return std::unexpected(refuse(Refusal::Kind::kRestartNeeded, fmt::format("restart needed: {}", setting->name),
                                  "set it in the configuration file and restart hooksmtpd"));
  }
  auto wanted = config::with_setting(loaded_, *setting, value);
  if (!wanted) return std::unexpected(refuse(Refusal::Kind::kUsage, config::to_string(wanted.error())));
  config::Changes changes = changes_to(wanted->config);
  if (!changes.restart_needed.empty()) {
    return std::unexpected(refuse(Refusal::Kind::kRestartNeeded,
                                  fmt::format("restart needed: {}", comma_list(changes.restart_needed)),
                                  "set it in the configuration file and restart hooksmtpd"));
  }
  return Proposal{.loaded = std::move(*wanted), .changed = {.changes = std::move(changes), .warnings = {}}};
}

LiveConfig::Changed LiveConfig::accept(Proposal proposal) {
  loaded_ = std::move(proposal.loaded);
  return std::move(proposal.changed);
}

}  // namespace hooksmtpd::launcher
