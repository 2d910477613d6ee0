#include "daemon/ctl/client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "daemon/sys/error.h"

namespace hooksmtpd::ctl {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxReply = 8 * 1024 * 1024;
constexpr timeval kPatience{.tv_sec = 15, .tv_usec = 0};  // a reload reads files; nothing else takes time

Failure failure_of(int error, const std::filesystem::path& socket) {
  const std::string what = fmt::format("{}: {}", socket.string(), sys::errno_text(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return {EX_UNAVAILABLE, "not-running",
              fmt::format("no hooksmtpd answers at {}: is it running? systemctl status hooksmtpd", socket.string())};
    case EACCES:
    case EPERM:
      return {EX_NOPERM, "permission", what + " (only root and the group of the daemon may ask)"};
    default:
      return {EX_OSERR, "system", what};
  }
}

}  // namespace

std::expected<Client, Failure> Client::connect(const std::filesystem::path& socket) {
  sys::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::unexpected(failure_of(errno, socket));

  // By its folder's descriptor: the name may be longer than the 107 octets of an address.
  const auto parent = socket.has_parent_path() ? socket.parent_path() : std::filesystem::path(".");
  const sys::Fd folder(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return std::unexpected(failure_of(errno, socket));
  const std::string name = fmt::format("/proc/self/fd/{}/{}", folder.get(), socket.filename().string());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return std::unexpected(failure_of(ENAMETOOLONG, socket));
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);

  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::unexpected(failure_of(errno, socket));
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  return Client(std::move(fd));
}

std::expected<json, Failure> Client::ask(const json& request) {
  const std::string line = request.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return std::unexpected(Failure{EX_IOERR, "protocol", "the daemon takes no request: " + sys::errno_text(errno)});
  }
  std::optional<std::string> reply;
  while (!(reply = take_line()) && received_.size() < kMaxReply) {
    if (receive()) continue;
    if (errno == EAGAIN) return std::unexpected(Failure{EX_TEMPFAIL, "protocol", "the daemon does not answer"});
    reply.emplace();
    break;
  }
  json answer = json::parse(reply.value_or(""), nullptr, /*allow_exceptions=*/false);
  const auto ok = answer.is_object() ? answer.find("ok") : answer.end();
  if (!answer.is_object() || ok == answer.end() || !ok->is_boolean()) {
    return std::unexpected(Failure{EX_PROTOCOL, "protocol", "the daemon gave no proper answer"});
  }
  return answer;
}

std::optional<std::string> Client::take_line() {
  const std::size_t end = received_.find('\n', looked_at_);
  if (end == std::string::npos) {
    looked_at_ = received_.size();
    return std::nullopt;
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  looked_at_ = 0;
  return line;
}

bool Client::receive() {
  std::array<char, 64 * 1024> piece;
  ssize_t got = 0;
  do {
    errno = 0;
    got = ::recv(socket_.get(), piece.data(), piece.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  received_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

void Client::wait_for_end() {
  constexpr timeval kForEver{};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kForEver, sizeof kForEver);
  char ignored = 0;
  ssize_t got = 0;
  do {
    got = ::recv(socket_.get(), &ignored, 1, 0);
  } while (got > 0 || (got < 0 && errno == EINTR));
}

}  // namespace hooksmtpd::ctl
