#include "daemon/launcher/view_rules.h"

#include <system_error>

namespace hooksmtpd::launcher {
namespace {

using sys::FileRights;
namespace fs = std::filesystem;

FileRights rights_of(Jail::Access access) {
  using enum FileRights;
  switch (access) {
    case Jail::Access::kRead:
      return kRead | kExecute;
    case Jail::Access::kReadWrite:
      return kRead | kExecute | kWrite | kMake;
    case Jail::Access::kDevice:
      return kRead | kWrite | kDevice;
  }
  return kNone;
}

}  // namespace

sys::LandlockRules rules_of(const Jail& jail) {
  sys::LandlockRules rules;
  const auto add = [&](const fs::path& path, FileRights rights) {
    std::error_code error;
    if (fs::exists(path, error)) rules.places.push_back({.path = path, .rights = rights});
  };
  for (const Jail::Bind& bind : jail.binds) add(bind.path, rights_of(bind.access));
  for (const Jail::File& file : jail.files) add(file.path, FileRights::kRead);
  if (jail.temporary_folder) add("/tmp", rights_of(Jail::Access::kReadWrite));
  if (jail.processes) add("/proc", FileRights::kRead);
  return rules;
}

}  // namespace hooksmtpd::launcher
