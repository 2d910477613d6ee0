#include "daemon/launcher/port_holder.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

namespace hooksmtpd::launcher {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";  // TCP_LISTEN (proc_net_tcp.txt of the kernel)

// The inodes of the listening sockets in a table like /proc/net/tcp:
// "sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode".
void add_listening_inodes(const char* table, std::uint16_t port, std::set<std::string>& inodes) {
  std::ifstream lines(table);
  std::string line;
  const std::string suffix = fmt::format(":{:04X}", port);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::vector<std::string> columns(std::istream_iterator<std::string>(words), {});
    if (columns.size() < 10 || !columns[1].ends_with(suffix) || columns[3] != kListening) continue;
    inodes.insert(fmt::format("socket:[{}]", columns[9]));
  }
}

bool holds_one(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code not_ours;
  for (const auto& descriptor : fs::directory_iterator(process / "fd", not_ours)) {
    std::error_code gone;
    if (sockets.contains(fs::read_symlink(descriptor.path(), gone).string())) return true;
  }
  return false;
}

}  // namespace

std::optional<PortHolder> find_port_holder(std::uint16_t port) {
  std::set<std::string> sockets;
  add_listening_inodes("/proc/net/tcp", port, sockets);
  add_listening_inodes("/proc/net/tcp6", port, sockets);
  if (sockets.empty()) return std::nullopt;
  std::error_code no_proc;
  for (const auto& process : fs::directory_iterator("/proc", no_proc)) {
    const std::string number = process.path().filename();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), pid);
    if (error != std::errc() || end != number.data() + number.size() || !holds_one(process.path(), sockets)) continue;
    std::string name = "?";
    std::getline(std::ifstream(process.path() / "comm"), name);
    return PortHolder{.pid = pid, .name = name};
  }
  return std::nullopt;
}

}  // namespace hooksmtpd::launcher
