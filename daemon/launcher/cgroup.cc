#include "daemon/launcher/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>

#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;
using sys::Fd;
using sys::must;

constexpr std::array<std::string_view, kControllers> kNames{"memory", "pids", "cpu"};
constexpr std::string_view kPrefix = "hooksmtpd.";            // of every group that we make
constexpr std::string_view kOwn = "hooksmtpd.own";            // version 2: where we are ourselves
constexpr std::uint64_t kPeriod = 100'000, kPercent = 1'000;  // of the processor's time, in microseconds

struct Mount {
  std::string root;  // which group it shows
  fs::path at;
  bool unified = false;
  std::vector<std::string> controllers;  // of version 1
};

std::vector<std::string> split(std::string_view text, char between) {
  std::vector<std::string> parts;
  std::istringstream in{std::string(text)};
  for (std::string part; std::getline(in, part, between);) parts.push_back(part);
  return parts;
}

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

// A line is "ID PARENT DEVICE ROOT AT OPTIONS [TAG...] - TYPE SOURCE SUPER" (proc(5)).
std::vector<Mount> cgroup_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string& line : split(mountinfo, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    const auto dash = std::ranges::find(words, "-");
    if (std::distance(dash, words.end()) < 4 || std::distance(words.begin(), dash) < 6) continue;
    if (dash[1] != "cgroup" && dash[1] != "cgroup2") continue;
    mounts.push_back(
        {.root = words[3], .at = words[4], .unified = dash[1] == "cgroup2", .controllers = split(dash[3], ',')});
  }
  return mounts;
}

// Where `mount` shows the group `path`; nothing: it shows another part of the tree.
std::optional<fs::path> place_of(const Mount& mount, const std::string& path) {
  if (mount.root == "/") return mount.at / fs::path(path).relative_path();
  if (path == mount.root) return mount.at;
  if (path.starts_with(mount.root + "/")) return mount.at / path.substr(mount.root.size() + 1);
  return std::nullopt;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> words_of(const fs::path& file) {
  std::istringstream in(text_of(file));
  return {std::istream_iterator<std::string>(in), {}};
}

void write(const fs::path& file, std::string_view text) {
  const Fd fd(must(::open(file.c_str(), O_WRONLY | O_CLOEXEC), file.string()));
  must(::write(fd.get(), text.data(), text.size()), fmt::format("write {} to {}", text, file.string()));
}

// For what an older kernel, or one that counts no swap, has not.
void write_if_there(const fs::path& file, std::string_view text) {
  std::error_code error;
  if (fs::exists(file, error)) write(file, text);
}

// Empty, or why groups below `folder` cannot have what it has.
std::string hand_on(const fs::path& folder, const std::vector<std::string>& controllers) try {
  const std::vector<std::string> handed_on = words_of(folder / "cgroup.subtree_control");
  if (std::ranges::all_of(controllers, [&](const auto& one) { return contains(handed_on, one); })) return {};
  std::error_code error;
  if (fs::exists(folder / "cgroup.type", error)) {  // the root of all groups has none, and may hold processes
    const std::vector<std::string> processes = words_of(folder / "cgroup.procs");
    if (processes != std::vector{std::to_string(::getpid())}) {
      return fmt::format(
          "other processes are in the group {}, too; systemd-run -p Delegate=yes gives us one of our own",
          folder.string());
    }
    fs::create_directory(folder / kOwn);
    write(folder / kOwn / "cgroup.procs", "0");
  }
  for (const std::string& one : controllers) {
    if (!contains(handed_on, one)) write(folder / "cgroup.subtree_control", "+" + one);
  }
  return {};
} catch (const std::system_error& error) {
  return error.what();
}

// That is locked shows that somebody holds one of its files open: a keeper.
void remove_left_over(const fs::path& folder) {
  const std::unique_ptr<DIR, decltype([](DIR* open) { ::closedir(open); })> all(::opendir(folder.c_str()));
  if (!all) return;
  while (const dirent* entry = ::readdir(all.get())) {
    const std::string_view name(entry->d_name);
    if (!name.starts_with(kPrefix) || name == kOwn) continue;
    const fs::path group = folder / name;
    const Fd processes(::open((group / "cgroup.procs").c_str(), O_RDONLY | O_CLOEXEC));
    if (processes.valid() && ::flock(processes.get(), LOCK_EX | LOCK_NB) == 0) ::rmdir(group.c_str());
  }
}

// One start at a time: between making a group and locking it another one would take it for a left-over.
Fd lock(const fs::path& folder) {
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) ::flock(fd.get(), LOCK_EX);
  return fd;
}

void set_limit(Controller controller, bool unified, const fs::path& group, const config::Sandbox& sandbox) {
  switch (controller) {
    case Controller::kMemory: {
      if (sandbox.memory == 0) return;
      const std::string octets = std::to_string(sandbox.memory);
      write(group / (unified ? "memory.max" : "memory.limit_in_bytes"), octets);
      write_if_there(group / (unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes"), unified ? "0" : octets);
      return;
    }
    case Controller::kProcesses:
      write(group / "pids.max", std::to_string(sandbox.processes));
      return;
    case Controller::kCpu: {
      if (sandbox.cpu == 0) return;
      const std::string quota = std::to_string(sandbox.cpu * kPercent);
      if (unified) {
        write(group / "cpu.max", fmt::format("{} {}", quota, kPeriod));
      } else {
        write(group / "cpu.cfs_period_us", std::to_string(kPeriod));
        write(group / "cpu.cfs_quota_us", quota);
      }
      return;
    }
  }
}

}  // namespace

GroupFolders find_group_folders(std::string_view self_cgroup, std::string_view mountinfo) {
  GroupFolders found;
  const std::vector<Mount> mounts = cgroup_mounts(mountinfo);
  for (std::size_t i = 0; i < kControllers; ++i) {
    GroupFolders::Place& place = found.places[i];
    place.why = fmt::format("the controller {} is not there", kNames[i]);
    for (const std::string& line : split(self_cgroup, '\n')) {  // "4:memory:/a/b", of version 2 "0::/a/b"
      const std::size_t first = line.find(':'), second = line.find(':', first + 1);
      if (first == std::string::npos || second == std::string::npos) continue;
      const std::vector<std::string> controllers = split(line.substr(first + 1, second - first - 1), ',');
      const bool unified = controllers.empty();
      if (!unified && !contains(controllers, kNames[i])) continue;
      for (const Mount& mount : mounts) {
        if (mount.unified != unified || (!unified && !contains(mount.controllers, kNames[i]))) continue;
        const auto folder = place_of(mount, line.substr(second + 1));
        if (!folder || (unified && !contains(words_of(*folder / "cgroup.controllers"), kNames[i]))) continue;
        place = {.folder = *folder, .unified = unified};
      }
    }
  }
  return found;
}

std::string why_no_groups() {
  const GroupFolders found = find_group_folders(text_of("/proc/self/cgroup"), text_of("/proc/self/mountinfo"));
  for (const Controller controller : {Controller::kMemory, Controller::kProcesses}) {
    const GroupFolders::Place& place = found.of(controller);
    if (place.folder.empty()) return place.why;
    if (::access(place.folder.c_str(), W_OK) != 0) return place.folder.string() + ": " + sys::errno_text(errno);
  }
  return {};
}

GroupFolders prepare_groups(config::SandboxMode mode) {
  GroupFolders found;
  if (mode == config::SandboxMode::kNone) return found;
  found = find_group_folders(text_of("/proc/self/cgroup"), text_of("/proc/self/mountinfo"));
  std::vector<std::string> unified;
  for (std::size_t i = 0; i < kControllers; ++i) {
    if (found.places[i].unified) unified.emplace_back(kNames[i]);
  }
  for (GroupFolders::Place& place : found.places) {
    if (place.folder.empty()) continue;
    std::string why;
    const fs::path trial = place.folder / fmt::format("{}try.{}", kPrefix, ::getpid());
    if (::mkdir(trial.c_str(), 0755) != 0) why = fmt::format("mkdir {}: {}", trial.string(), sys::errno_text(errno));
    ::rmdir(trial.c_str());
    if (why.empty() && place.unified) why = hand_on(place.folder, unified);
    if (!why.empty()) {
      place = {.folder = {}, .unified = false, .why = std::move(why)};
      continue;
    }
    const Fd locked = lock(place.folder);
    remove_left_over(place.folder);
  }
  return found;
}

std::vector<std::string> limits_missing(const config::Config& config, const GroupFolders& folders) {
  const auto any = [&](auto wanted) {
    return std::ranges::any_of(config.hooks, [&](const config::Hook& hook) { return wanted(hook.sandbox); });
  };
  std::vector<std::string> missing;
  const auto say = [&](Controller controller, std::string_view key) {
    if (!folders.has(controller) && !folders.of(controller).why.empty()) {
      missing.push_back(fmt::format("sandbox.{} of hooks is not in force: {}", key, folders.of(controller).why));
    }
  };
  if (any([](const config::Sandbox& sandbox) { return sandbox.memory != 0; })) say(Controller::kMemory, "memory");
  if (any([](const config::Sandbox& sandbox) { return sandbox.cpu != 0; })) say(Controller::kCpu, "cpu");
  return missing;
}

HookGroup make_group(const GroupFolders& folders, std::string_view name, const config::Sandbox& sandbox) {
  const std::string name_of_group = fmt::format("{}{}.{}", kPrefix, name, ::getpid());
  HookGroup result;
  std::vector<fs::path> made;
  for (std::size_t i = 0; i < kControllers; ++i) {
    const GroupFolders::Place& place = folders.places[i];
    if (place.folder.empty()) continue;
    const fs::path group = place.folder / name_of_group;
    if (std::ranges::find(made, group) == made.end()) {
      const Fd locked = lock(place.folder);
      if (::mkdir(group.c_str(), 0755) != 0 && errno != EEXIST) sys::throw_errno("mkdir " + group.string());
      const fs::path processes = group / "cgroup.procs";
      Fd join(must(::open(processes.c_str(), O_RDWR | O_CLOEXEC), processes.string()));
      must(::flock(join.get(), LOCK_SH), "flock " + processes.string());
      result.joins.push_back(std::move(join));
      made.push_back(group);
    }
    set_limit(static_cast<Controller>(i), place.unified, group, sandbox);
  }
  if (const auto& memory = folders.of(Controller::kMemory); !memory.folder.empty() && sandbox.memory != 0) {
    const fs::path counts = memory.folder / name_of_group / (memory.unified ? "memory.events" : "memory.oom_control");
    result.memory_kills = Fd(must(::open(counts.c_str(), O_RDONLY | O_CLOEXEC), counts.string()));
  }
  return result;
}

}  // namespace hooksmtpd::launcher
