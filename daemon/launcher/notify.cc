#include "daemon/launcher/notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cstdint>

namespace hooksmtpd::launcher {
namespace {

constexpr std::size_t kMaxStatus = 1024;

// A status is one line.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, kMaxStatus));
  std::ranges::replace_if(line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

}  // namespace

void Notifier::ready(std::string_view status) {
  status_ = one_line(status);
  send(fmt::format("READY=1\nSTATUS={}", status_));
}

void Notifier::status(std::string_view text) {
  std::string line = one_line(text);
  if (line == status_) return;
  status_ = std::move(line);
  send(fmt::format("STATUS={}", status_));
}

void Notifier::reloading() {
  // Type=notify-reload tells by the time whether this answers its own SIGHUP.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds));
}

void Notifier::stopping() { send("STOPPING=1\nSTATUS=stopping"); }

void Notifier::alive() { send("WATCHDOG=1"); }

void Notifier::send(std::string_view lines) {
  if (socket_.valid()) ::send(socket_.get(), lines.data(), lines.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace hooksmtpd::launcher
