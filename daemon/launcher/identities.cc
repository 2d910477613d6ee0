#include "daemon/launcher/identities.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <set>

#include "daemon/launcher/file_identity.h"
#include "daemon/launcher/start_error.h"

namespace hooksmtpd::launcher {
namespace {

constexpr uid_t kSupervisorNumber = 60797;
constexpr uid_t kWorkerNumber = 60798;
constexpr uid_t kKeyholderNumber = 60799;

// A number of ours must be nobody else's: whoever has it could read and signal what runs as it.
std::optional<std::string> owner_of(std::uint32_t number) {
  if (const passwd* user = ::getpwuid(number)) return fmt::format("number {} is user {}'s", number, user->pw_name);
  if (const group* users = ::getgrgid(number)) return fmt::format("number {} is group {}'s", number, users->gr_name);
  return std::nullopt;
}

Identity service_identity(const char* name, uid_t number) {
  if (const passwd* user = ::getpwnam(name)) {
    if (user->pw_uid == 0 || user->pw_gid == 0) throw StartError(EX_CONFIG, fmt::format("user {} is root", name));
    return {.uid = user->pw_uid, .gid = user->pw_gid, .name = name};
  }
  if (const auto owner = owner_of(number)) {
    throw StartError(EX_CONFIG,
                     fmt::format("{}: create the system user {} (systemd-sysusers), then start again", *owner, name));
  }
  return {.uid = number, .gid = number, .name = name};
}

// The group of a hook's state folder, if that exists.
std::optional<gid_t> group_of(const std::filesystem::path& folder) {
  try {
    const sys::Fd place = open_path(folder);
    struct stat status{};
    if (::fstat(place.get(), &status) != 0) return std::nullopt;
    return status.st_gid;
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

// Hands out the numbers of hook_uids; the state folders are the register.
class Numbers {
 public:
  explicit Numbers(const config::Config& config)
      : first_(config.hook_uids.first), last_(config.hook_uids.second), folders_(config.state_dir / "hooks") {
    const Owner reader = reader_of(folders_);
    const FileIdentity as(reader.uid, reader.gid);
    std::error_code none_yet;
    for (const auto& folder : std::filesystem::directory_iterator(folders_, none_yet)) {
      if (const auto number = registered(folder.path().filename())) taken_.insert(*number);
    }
  }

  std::uint32_t of(const config::Hook& hook) {
    std::optional<std::uint32_t> number = registered(hook.name);
    for (std::uint32_t next = first_; !number && next <= last_; ++next) {
      if (!taken_.contains(next)) number = next;
    }
    if (!number) {
      throw config_error(hook.source, fmt::format("hook {}: no number is left in hook_uids: widen it, or remove the "
                                                  "folders of hooks that are no more from {}",
                                                  hook.name, folders_.string()));
    }
    if (const auto owner = owner_of(*number)) {
      throw config_error(hook.source, fmt::format("hook {}: {}: set other hook_uids", hook.name, *owner));
    }
    if (!given_.insert(*number).second) {
      throw config_error(hook.source, fmt::format("hook {}: its folder {} has the group of another hook's", hook.name,
                                                  (folders_ / hook.name).string()));
    }
    taken_.insert(*number);
    return *number;
  }

 private:
  std::optional<std::uint32_t> registered(const std::filesystem::path& name) const {
    const std::optional<gid_t> group = group_of(folders_ / name);
    return group && *group >= first_ && *group <= last_ ? group : std::nullopt;
  }

  std::uint32_t first_;
  std::uint32_t last_;
  std::filesystem::path folders_;
  std::set<std::uint32_t> taken_;  // by a state folder, or in this run
  std::set<std::uint32_t> given_;  // in this run
};

Identity hook_identity(const config::Hook& hook, std::uint32_t number, const Identities& others) {
  if (hook.sandbox.user.empty()) return {.uid = number, .gid = number, .name = "hook-" + hook.name};
  const auto refuse = [&](std::string_view why) {
    throw config_error(hook.source, fmt::format("hook {}: user \"{}\" {}", hook.name, hook.sandbox.user, why));
  };
  const passwd* user = ::getpwnam(hook.sandbox.user.c_str());
  if (user == nullptr) refuse("does not exist on this machine");
  if (user->pw_uid == 0) refuse("is root: no hook runs as root");
  for (const Identity* own : {&others.supervisor, &others.worker, &others.keyholder}) {
    if (user->pw_uid == own->uid) refuse("is the daemon's own");
  }
  return {.uid = user->pw_uid, .gid = number, .name = user->pw_name};
}

Identity ourselves() {
  const passwd* user = ::getpwuid(::getuid());
  return {.uid = ::getuid(), .gid = ::getgid(), .name = user != nullptr ? user->pw_name : "user"};
}

Identities one_for_all(const config::Config& config) {
  const Identity self = ourselves();
  for (const config::Hook& hook : config.hooks) {
    if (hook.sandbox.user.empty() || hook.sandbox.user == self.name) continue;
    throw config_error(hook.source, fmt::format("hook {}: user \"{}\": only root can start it as somebody else than {}",
                                                hook.name, hook.sandbox.user, self.name));
  }
  return {.supervisor = self,
          .worker = self,
          .keyholder = self,
          .hooks = std::vector<Identity>(config.hooks.size(), self),
          .separate = false};
}

}  // namespace

Identity keyholder_identity() {
  return ::geteuid() == 0 ? service_identity("hooksmtpd-key", kKeyholderNumber) : ourselves();
}

Identities choose_identities(const config::Config& config) {
  if (::geteuid() != 0) return one_for_all(config);
  Identities identities{.supervisor = service_identity("hooksmtpd", kSupervisorNumber),
                        .worker = service_identity("hooksmtpd-smtp", kWorkerNumber),
                        .keyholder = keyholder_identity(),
                        .hooks = {},
                        .separate = true};
  Numbers numbers(config);
  for (const config::Hook& hook : config.hooks) {
    identities.hooks.push_back(hook_identity(hook, numbers.of(hook), identities));
  }
  return identities;
}

}  // namespace hooksmtpd::launcher
