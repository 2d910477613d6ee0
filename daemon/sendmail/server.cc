#include "daemon/sendmail/server.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "config/address.h"
#include "daemon/sys/error.h"

namespace hooksmtpd::sendmail {
namespace {

constexpr std::string_view kUnix = "unix:";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

Result<sys::Fd> connect_once(int family, const sockaddr* address, socklen_t length, const std::string& name) {
  sys::Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.valid() && ::connect(fd.get(), address, length) == 0) return fd;
  return fail(EX_TEMPFAIL, fmt::format("{}: {}", name, sys::errno_text(errno)));
}

Result<sys::Fd> connect_unix(const std::string& name) {
  const std::string path = name.substr(kUnix.size());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(EX_USAGE,
                fmt::format("{}: the path of a socket has 1 to {} octets", name, sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return connect_once(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, name);
}

Result<sys::Fd> connect_internet(const std::string& name) {
  auto address = config::parse_address(name);
  if (!address) address = config::parse_address(name + ":25");
  if (!address) return fail(EX_USAGE, fmt::format("{} is no server: write unix:/path, host or host:port", name));

  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address->host.c_str(), std::to_string(address->port).c_str(), &hints, &found);
  if (error == EAI_AGAIN) return fail(EX_TEMPFAIL, fmt::format("{}: {}", address->host, ::gai_strerror(error)));
  if (error != 0) return fail(EX_NOHOST, fmt::format("{}: {}", address->host, ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Result<sys::Fd> last = fail(EX_NOHOST, name);
  for (const addrinfo* one = found; one != nullptr && !last; one = one->ai_next) {
    last = connect_once(one->ai_family, one->ai_addr, one->ai_addrlen, name);
  }
  // A body and its final dot are two writes: Nagle would keep the dot until the other end has acknowledged the body.
  const int one = 1;
  if (last) ::setsockopt(last->get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return last;
}

}  // namespace

std::vector<std::string> servers(const std::string& named, uid_t uid) {
  if (!named.empty()) return {named};
  if (std::string server = variable("HOOKSMTPD_SERVER"); !server.empty()) return {std::move(server)};
  std::vector<std::string> out{"unix:/run/hooksmtpd/smtp.sock", "127.0.0.1:25"};
  if (uid == 0) return out;
  if (const std::string folder = variable("XDG_RUNTIME_DIR"); !folder.empty()) {
    out.insert(out.begin(), fmt::format("unix:{}/hooksmtpd/smtp.sock", folder));
  }
  out.push_back("127.0.0.1:1025");
  return out;
}

Result<sys::Fd> connect_to(const std::vector<std::string>& servers) {
  std::string why;
  for (const std::string& name : servers) {
    auto connected = name.starts_with(kUnix) ? connect_unix(name) : connect_internet(name);
    if (connected || servers.size() == 1) return connected;
    why += (why.empty() ? "" : "; ") + connected.error().text;
  }
  return fail(EX_TEMPFAIL,
              fmt::format("no hooksmtpd takes a connection ({}): is it running? Name another by --server", why));
}

}  // namespace hooksmtpd::sendmail
