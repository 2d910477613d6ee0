#include "daemon/launcher/find_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"

namespace hooksmtpd::launcher {
namespace {

constexpr std::size_t kMaxFile = 16 * 1024;

std::string read_file(int proc, const std::string& name) {
  const sys::Fd file(::openat(proc, name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return {};
  std::string text(kMaxFile, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

// Takes the next number off the front; empty at the end.
std::optional<pid_t> take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_of("0123456789"), text.size()));
  pid_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// "NSpid:	4711	2": from the namespace of this /proc inwards.
bool is_inside(int proc, pid_t pid, std::int32_t inside) {
  const std::string status = read_file(proc, fmt::format("{}/status", pid));
  const std::size_t at = status.find("\nNSpid:");
  if (at == std::string::npos) return false;
  std::string_view line = std::string_view(status).substr(at + 1);
  line = line.substr(0, line.find('\n'));
  std::optional<pid_t> innermost;
  while (const std::optional<pid_t> number = take_number(line)) innermost = number;
  return innermost == inside;
}

}  // namespace

std::optional<pid_t> find_child(int proc, pid_t keeper, std::int32_t inside) {
  if (proc < 0 || keeper <= 0) return std::nullopt;
  const std::string children = read_file(proc, fmt::format("{}/task/{}/children", keeper, keeper));
  std::string_view left = children;
  while (const std::optional<pid_t> child = take_number(left)) {
    if (is_inside(proc, *child, inside)) return child;
  }
  return std::nullopt;
}

}  // namespace hooksmtpd::launcher
