#include "tests/bench/load/server_cost.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace hooksmtpd::bench {
namespace {

// Empty: the process has ended, perhaps while it was read (then a read fails, and << takes note of it quietly).
std::string contents(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::uint64_t number_after(std::string_view text, std::string_view name) {
  auto at = text.find(name);
  if (at == std::string_view::npos) return 0;
  at = text.find_first_not_of(" \t", at + name.size());
  std::uint64_t value = 0;
  if (at != std::string_view::npos) std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

struct Process {
  int pid = 0;
  int parent = 0;
  std::uint64_t reaped_ticks = 0;  // of its ended children
};

std::vector<int> numbers_in(const std::string& folder) {
  std::vector<int> found;
  std::error_code gone;
  for (std::filesystem::directory_iterator entry(folder, gone), end; !gone && entry != end; entry.increment(gone)) {
    const std::string name = entry->path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

// proc(5), /proc/PID/stat: the fields after the name, which may hold anything, in parentheses.
Process look(int pid) {
  Process process{.pid = pid};
  const std::string text = contents(fmt::format("/proc/{}/stat", pid));
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return process;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int number = 3; fields >> field && number <= 17; ++number) {
    if (number == 4) process.parent = std::stoi(field);
    if (number == 16 || number == 17) process.reaped_ticks += std::stoull(field);
  }
  return process;
}

std::vector<Process> tree(int head) {
  std::multimap<int, Process> by_parent;
  std::vector<Process> found;
  for (const int pid : numbers_in("/proc")) {
    const Process process = look(pid);
    if (pid == head) found.push_back(process);
    by_parent.emplace(process.parent, process);
  }
  for (std::size_t next = 0; next < found.size(); ++next) {
    const auto [begin, end] = by_parent.equal_range(found[next].pid);
    std::transform(begin, end, std::back_inserter(found), [](const auto& entry) { return entry.second; });
  }
  return found;
}

std::uint64_t tree_time(int head) {
  static const std::uint64_t tick = 1'000'000'000u / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  std::uint64_t total = 0;
  for (const Process& process : tree(head)) {
    const std::string tasks = fmt::format("/proc/{}/task", process.pid);
    for (const int thread : numbers_in(tasks)) {
      total += number_after(contents(fmt::format("{}/{}/schedstat", tasks, thread)), "");
    }
    total += process.reaped_ticks * tick;
  }
  return total;
}

}  // namespace

std::uint64_t cpu_time(const Options& options) {
  if (options.control_group.empty()) return tree_time(options.server_pid);
  if (const std::string text = contents(options.control_group + "/cpuacct.usage"); !text.empty()) {
    return number_after(text, "");
  }
  return number_after(contents(options.control_group + "/cpu.stat"), "usage_usec") * 1000;
}

Memory memory(const Options& options) {
  Memory sum;
  for (const Process& process : tree(options.server_pid)) {
    sum.pss_kib += number_after(contents(fmt::format("/proc/{}/smaps_rollup", process.pid)), "\nPss:");
    ++sum.processes;
  }
  return sum;
}

void wait_until_quiet(const Options& options) {
  using namespace std::chrono_literals;
  constexpr std::uint64_t kQuiet = 2'000'000;  // nanoseconds in 0.1 s: 2 % of one core
  std::uint64_t last = cpu_time(options);
  for (int turn = 0, quiet = 0; turn < 100 && quiet < 3; ++turn) {
    std::this_thread::sleep_for(100ms);
    const std::uint64_t now = cpu_time(options);
    quiet = now - last < kQuiet ? quiet + 1 : 0;
    last = now;
  }
}

}  // namespace hooksmtpd::bench
