#include "daemon/launcher/layers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/launcher/cgroup.h"
#include "daemon/launcher/start_error.h"
#include "daemon/launcher/try_namespaces.h"
#include "daemon/sys/landlock.h"
#include "daemon/sys/syscall_filter.h"

namespace hooksmtpd::launcher {
namespace {

using Kind = Layer::Kind;
using nlohmann::json;

constexpr std::string_view kAsRoot = "start it as root: every privilege is given up before it serves";
constexpr std::string_view kSysAdmin = "in a container: --cap-add SYS_ADMIN, which is given up before it serves";
constexpr std::string_view kUserNamespaces =
    "allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0), or start it as root";
constexpr std::string_view kLetPass = "a kernel with it, and a container or service manager that lets its calls pass";

std::vector<Layer> table() {
  return {
      {.kind = Kind::kUsers,
       .name = "users",
       .what = "each process has a user of its own",
       .wanted_by = Isolation::kFull,
       .fix = kAsRoot},
      {.kind = Kind::kJails,
       .name = "jails",
       .what = "each process sees the files that it needs, and its own processes",
       .wanted_by = Isolation::kNamespaced},
      {.kind = Kind::kNamespaces,
       .name = "namespaces",
       .what = "each process has network, IPC and host name of its own; no network, unless a hook's profile says so",
       .wanted_by = Isolation::kNamespaced},
      {.kind = Kind::kFilter,
       .name = "seccomp",
       .what = "system calls that are not needed are refused",
       .wanted_by = Isolation::kFiltered,
       .fix = kLetPass},
      {.kind = Kind::kLandlock,
       .name = "landlock",
       .what = "files, TCP and processes that are not needed cannot be reached",
       .wanted_by = Isolation::kFiltered,
       .fix = kLetPass},
      {.kind = Kind::kFixedCode,
       .name = "fixed-code",
       .what = "our own programs cannot make code while they run",
       .wanted_by = Isolation::kNone,
       .fix = "Linux 6.3; the seccomp filter refuses it, too"},
      {.kind = Kind::kLimits,
       .name = "cgroups",
       .what = "each hook has a limit of memory and of processes",
       .wanted_by = Isolation::kNone,
       .fix = "version 1 as root, or a group of version 2 that is ours: systemd-run -p Delegate=yes"},
  };
}

bool is_root() { return ::geteuid() == 0; }

// Why it is not there, or empty.
std::string try_layer(Layer& layer, bool have_jails) {
  switch (layer.kind) {
    case Kind::kUsers:
      return is_root() ? "" : "a plain user is one user";
    case Kind::kJails:
      layer.fix = is_root() ? kSysAdmin : kUserNamespaces;
      return why_no_jail();
    case Kind::kNamespaces:
      layer.fix = is_root() ? kSysAdmin : kUserNamespaces;
      return have_jails ? why_no_namespaces() : "they come with jails only";
    case Kind::kFilter:
      return sys::syscall_filter_missing();
    case Kind::kLandlock: {
      std::string why = sys::landlock_missing();
      if (why.empty()) layer.why = fmt::format("ABI {}", sys::landlock_abi());
      return why;
    }
    case Kind::kFixedCode:
      return sys::knows_fixed_code() ? "" : "the kernel does not know it";
    case Kind::kLimits:
      return why_no_groups();
  }
  return "?";
}

// `sandbox = "none"` leaves root what P1 and P2 rest on.
bool is_left_out(Kind kind, config::SandboxMode mode) {
  if (mode != config::SandboxMode::kNone || kind == Kind::kUsers) return false;
  return kind != Kind::kJails || !is_root();
}

std::string describe(const Layer& layer) { return fmt::format("{}: {} ({})", layer.name, layer.why, layer.fix); }

}  // namespace

std::string_view to_string(Isolation level) {
  switch (level) {
    case Isolation::kNone:
      return "none";
    case Isolation::kFiltered:
      return "filtered";
    case Isolation::kNamespaced:
      return "namespaced";
    case Isolation::kFull:
      return "full";
  }
  return "?";
}

bool Layers::has(Kind kind) const {
  return std::ranges::any_of(all_, [&](const Layer& one) { return one.kind == kind && one.present; });
}

Isolation Layers::level() const {
  for (const Isolation level : {Isolation::kFull, Isolation::kNamespaced, Isolation::kFiltered}) {
    const bool reached = std::ranges::all_of(all_, [&](const Layer& one) {
      return one.present || one.wanted_by == Isolation::kNone || one.wanted_by > level;
    });
    if (reached) return level;
  }
  return Isolation::kNone;
}

sys::Demands Layers::demands() const { return {.empty_bounding_set = has(Kind::kUsers), .filter = has(Kind::kFilter)}; }

sys::OwnLayers Layers::own() const {
  return {.filter = has(Kind::kFilter), .landlock = has(Kind::kLandlock), .fixed_code = has(Kind::kFixedCode)};
}

std::vector<std::string> Layers::missing() const {
  std::vector<std::string> names;
  for (const Layer& one : all_) {
    const bool covered = one.kind == Kind::kFixedCode && has(Kind::kFilter);
    if (!one.present && !covered) names.push_back(fmt::format("{} ({})", one.name, one.why));
  }
  return names;
}

Layers find_layers(config::SandboxMode mode) {
  std::vector<Layer> all = table();
  bool have_jails = false;
  for (Layer& layer : all) {
    const std::string why = is_left_out(layer.kind, mode) ? "sandbox = \"none\"" : try_layer(layer, have_jails);
    layer.present = why.empty();
    if (!layer.present) layer.why = why;
    have_jails = have_jails || (layer.kind == Kind::kJails && layer.present);
  }
  return Layers(std::move(all));
}

void require(const Layers& layers, config::SandboxMode mode) {
  std::string text;
  for (const Layer& one : layers.all()) {
    // Whatever the mode, root's processes have jails. A plain user needs no more than the level filtered.
    const bool wanted = is_root() ? one.wanted_by != Isolation::kNone : one.wanted_by == Isolation::kFiltered;
    const bool always = is_root() && one.kind == Kind::kJails;
    if (one.present || !(always || (wanted && mode == config::SandboxMode::kStrict))) continue;
    text += fmt::format("\n  {}", describe(one));
  }
  if (text.empty()) return;
  throw StartError(EX_OSERR, fmt::format("layers of the sandbox are missing, so nothing is started:{}\n"
                                         "  or sandbox = \"best-effort\": go on without those that are no jails",
                                         text));
}

std::string as_text(const Layers& layers) {
  std::string text;
  for (const Layer& one : layers.all()) {
    const std::string_view yes = one.present ? "yes" : "no";
    text += fmt::format("{:<11} {:<4} {}", one.name, yes, one.what);
    if (!one.why.empty()) text += fmt::format("\n{:17}{}{}", "", one.present ? "" : "why: ", one.why);
    if (!one.present) text += fmt::format("\n{:17}fix: {}", "", one.fix);
    text += '\n';
  }
  return text + fmt::format("isolation   {}\n", to_string(layers.level()));
}

std::string as_json(const Layers& layers) {
  json rows = json::array();
  for (const Layer& one : layers.all()) {
    rows.push_back({{"name", one.name},
                    {"what", one.what},
                    {"present", one.present},
                    {"why", one.why},
                    {"fix", one.present ? std::string_view() : one.fix}});
  }
  return json{{"level", to_string(layers.level())}, {"layers", std::move(rows)}}.dump();
}

}  // namespace hooksmtpd::launcher
