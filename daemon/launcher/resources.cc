#include "daemon/launcher/resources.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "daemon/launcher/mounts.h"
#include "daemon/launcher/start_error.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::launcher {
namespace {

constexpr rlim_t kOpenFiles = 65'536;

}  // namespace

rlimit raise_open_files() {
  rlimit before{};
  sys::must(::getrlimit(RLIMIT_NOFILE, &before), "getrlimit");
  const rlim_t wanted = std::max(before.rlim_max, kOpenFiles);
  const rlimit more{.rlim_cur = wanted, .rlim_max = wanted};
  if (::setrlimit(RLIMIT_NOFILE, &more) != 0) {  // above the hard limit only CAP_SYS_RESOURCE goes
    const rlimit most{.rlim_cur = before.rlim_max, .rlim_max = before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &most);
  }
  return before;
}

sys::Fd connect_notify_socket() {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (name[0] != '/' && name[0] != '@')) return {};
  const std::string_view path(name);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract one: its name is no path and ends with its length
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  sys::Fd socket(sys::must(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    sys::throw_errno(std::string("connect to NOTIFY_SOCKET ") + name);
  }
  return socket;
}

std::optional<std::chrono::milliseconds> watchdog_time() {
  const auto number = [](const char* name) -> std::optional<std::int64_t> {
    const char* text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    const char* const end = text + std::strlen(text);
    std::int64_t value = 0;
    const auto [rest, error] = std::from_chars(text, end, value);
    return error == std::errc() && rest == end && value > 0 ? std::optional(value) : std::nullopt;
  };
  const auto time = number("WATCHDOG_USEC");
  if (!time || number("WATCHDOG_PID").value_or(::getpid()) != ::getpid()) return std::nullopt;
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::microseconds(*time));
}

sys::Fd open_proc() {
  if (::geteuid() == 0) return new_mount("proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  return sys::Fd(sys::must(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), "open /proc"));
}

}  // namespace hooksmtpd::launcher
