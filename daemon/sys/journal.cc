#include "daemon/sys/journal.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace hooksmtpd::sys {
namespace {

constexpr std::string_view kSocket = "/run/systemd/journal/socket";

}  // namespace

bool is_journal(int fd) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status{};
  return stream != nullptr && ::fstat(fd, &status) == 0 && stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

Fd connect_journal() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  static_assert(kSocket.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, kSocket.data(), kSocket.size());
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return {};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

std::string journal_record(int priority, std::string_view text, const About& about) {
  std::string record = fmt::format("PRIORITY={}\nSYSLOG_IDENTIFIER=hooksmtpd\n", priority);
  const auto field = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) record.append(name).append("=").append(value).append("\n");
  };
  field("HOOKSMTPD_SESSION", about.session);
  field("HOOKSMTPD_TRANSACTION", about.transaction);
  field("HOOKSMTPD_HOOK", about.hook);
  return record.append("MESSAGE=").append(text).append("\n");
}

void JournalWriter::add(std::string record) {
  if (!has_room_for(record.size())) flush();
  if (!has_room_for(record.size())) {
    ++dropped_;
    return;
  }
  octets_ += record.size();
  waiting_.push_back(std::move(record));
}

void JournalWriter::flush() {
  while (!waiting_.empty()) {
    const std::string& record = waiting_.front();
    if (::send(socket_.get(), record.data(), record.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == ENOBUFS) return;
      ++dropped_;  // journald is gone, or it will never take this one
    }
    octets_ -= record.size();
    waiting_.pop_front();
  }
}

}  // namespace hooksmtpd::sys
