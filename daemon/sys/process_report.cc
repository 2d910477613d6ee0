#include "daemon/sys/process_report.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace hooksmtpd::sys {
namespace {

constexpr std::array<std::string_view, 5> kCapabilitySets{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

// What stands behind "Key:" in its line, without the blanks around it.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") continue;
    line.remove_prefix(key.size() + 1);
    const std::size_t first = std::min(line.find_first_not_of(" \t"), line.size());
    line.remove_prefix(first);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    return line;
  }
  return std::nullopt;
}

// Takes a number and the blanks behind it off the front.
template <class Number>
bool take(std::string_view& text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text[0] != ' ' && text[0] != '\t') return false;
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return true;
}

template <class Number>
bool read_one(std::string_view text, std::string_view key, Number& number, int base = 10) {
  std::optional<std::string_view> value = value_of(text, key);
  return value && take(*value, number, base) && value->empty();
}

bool read_four(std::string_view text, std::string_view key, std::uint32_t (&ids)[4]) {
  std::optional<std::string_view> value = value_of(text, key);
  return value && std::ranges::all_of(ids, [&](std::uint32_t& id) { return take(*value, id); }) && value->empty();
}

bool count_groups(std::string_view text, std::uint32_t& count) {
  std::optional<std::string_view> value = value_of(text, "Groups");
  if (!value) return false;
  for (count = 0; !value->empty(); ++count) {
    std::uint32_t group = 0;
    if (!take(*value, group)) return false;
  }
  return true;
}

constexpr std::array kNamespaces{"/proc/self/ns/mnt", "/proc/self/ns/pid", "/proc/self/ns/net", "/proc/self/ns/ipc",
                                 "/proc/self/ns/uts"};
constexpr std::uint32_t kFiltered = 2;  // SECCOMP_MODE_FILTER

std::optional<ProcessReport> read_status(const Fd& status) {
  std::array<char, 16 * 1024> text;  // a status has about 1,500 octets
  const ssize_t got = status.valid() ? ::pread(status.get(), text.data(), text.size(), 0) : -1;
  if (got <= 0) return std::nullopt;
  return parse_status({text.data(), static_cast<std::size_t>(got)});
}

std::uint64_t inode(const char* name) {
  struct stat status{};
  if (::stat(name, &status) != 0) throw std::runtime_error(fmt::format("{} cannot be read", name));
  return status.st_ino;
}

}  // namespace

std::optional<ProcessReport> parse_status(std::string_view text) {
  ProcessReport report{};
  bool whole = read_one(text, "Pid", report.pid) && read_four(text, "Uid", report.uids) &&
               read_four(text, "Gid", report.gids) && count_groups(text, report.groups) &&
               read_one(text, "NoNewPrivs", report.no_new_privs) && read_one(text, "Seccomp", report.seccomp);
  for (std::size_t i = 0; i < kCapabilitySets.size(); ++i) {
    whole = whole && read_one(text, kCapabilitySets[i], report.capabilities[i], 16);
  }
  if (!whole) return std::nullopt;
  return report;
}

SelfReport::SelfReport() : status_(::open("/proc/self/status", O_RDONLY | O_CLOEXEC)) {
  if (!status_.valid()) throw std::runtime_error("/proc/self/status cannot be read: is /proc mounted?");
  std::ranges::transform(kNamespaces, namespaces_.begin(), inode);
}

ProcessReport SelfReport::read() const {
  std::optional<ProcessReport> report = read_status(status_);
  if (!report) throw std::runtime_error("/proc/self/status makes no sense");
  std::ranges::copy(namespaces_, report->namespaces);
  return *report;
}

std::optional<ProcessReport> report_of(int proc, int pid) {
  return read_status(Fd(::openat(proc, fmt::format("{}/status", pid).c_str(), O_RDONLY | O_CLOEXEC)));
}

std::string privilege_left(const ProcessReport& report, Demands demands) {
  if (std::ranges::find(report.uids, 0U) != std::end(report.uids)) return "a user id is 0";
  if (std::ranges::find(report.gids, 0U) != std::end(report.gids)) return "a group id is 0";
  for (std::size_t i = 0; i < kCapabilitySets.size(); ++i) {
    if (kCapabilitySets[i] == "CapBnd" && !demands.empty_bounding_set) continue;
    if (report.capabilities[i] != 0) return fmt::format("{} is {:x}", kCapabilitySets[i], report.capabilities[i]);
  }
  if (demands.empty_bounding_set && report.groups != 0) return "it has supplementary groups";
  if (report.no_new_privs != 1) return "no_new_privs is not set";
  if (demands.filter && report.seccomp != kFiltered) return "its system calls are not filtered";
  return {};
}

}  // namespace hooksmtpd::sys
