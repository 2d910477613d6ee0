#include "daemon/worker/error_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "daemon/worker/hook_process.h"

namespace hooksmtpd::worker {
namespace {

constexpr std::size_t kReadAtOnce = 64 * 1024;
constexpr std::size_t kMaxLine = 2048;  // a longer one is cut into pieces

}  // namespace

std::string tag_of(const sys::About& about) {
  if (!about.transaction.empty()) return fmt::format("message={}", about.transaction);
  return about.session.empty() ? std::string() : fmt::format("session={}", about.session);
}

ErrorOutput::ErrorOutput(Surroundings surroundings, std::string name, std::uint32_t instance)
    : surroundings_(std::move(surroundings)),
      name_(std::move(name)),
      label_(fmt::format("{}/{}", name_, instance)),
      instance_(instance) {}

void ErrorOutput::start(sys::Fd error) {
  error_ = std::move(error);
  fcntl(error_.get(), F_SETFL, O_NONBLOCK);
  const auto call = [](evutil_socket_t, short, void* self) noexcept { static_cast<ErrorOutput*>(self)->on_readable(); };
  on_error_.reset(event_new(surroundings_.base, error_.get(), EV_READ | EV_PERSIST, call, this));
  event_add(on_error_.get(), nullptr);
}

void ErrorOutput::stop() {
  if (!error_.valid()) return;
  read_some();
  log_line();
  on_error_.reset();
  error_.reset();
}

void ErrorOutput::on_readable() noexcept {
  if (!read_some()) event_del(on_error_.get());  // whether the process ended is standard output's matter
}

// False: there will be no more.
bool ErrorOutput::read_some() {
  std::array<char, kReadAtOnce> buffer;
  const ssize_t got = read(error_.get(), buffer.data(), buffer.size());
  if (got <= 0) return got < 0 && (errno == EINTR || errno == EAGAIN);
  std::string_view octets(buffer.data(), static_cast<std::size_t>(got));
  while (!octets.empty()) {
    const std::string_view piece = octets.substr(0, std::min(octets.find('\n'), kMaxLine - line_.size()));
    line_ += piece;
    octets.remove_prefix(piece.size());
    const bool at_end = octets.starts_with('\n');
    if (at_end) octets.remove_prefix(1);
    if (at_end || line_.size() == kMaxLine) log_line();
  }
  return true;
}

bool ErrorOutput::may_log() {
  if (!limit_.allow(Clock::now())) return false;
  if (const auto suppressed = limit_.take_suppressed(); suppressed > 0) {
    surroundings_.log.warn(sys::About{.hook = name_}, "hook {}: {} more lines were not logged", label_, suppressed);
  }
  return true;
}

void ErrorOutput::log_line() {
  if (line_.empty()) return;
  const std::string line = std::exchange(line_, {});
  const Request* const request = surroundings_.only_request();
  if (surroundings_.tracer.listening()) {
    surroundings_.tracer.said_to_stderr({.name = name_, .instance = instance_},
                                        request != nullptr ? request->traced.get() : nullptr, line);
  }
  if (!may_log()) return;
  const auto [level, text] = sys::split_level(line);
  sys::About about;
  if (request != nullptr && request->asker) about = request->asker->about();
  const std::string tag = tag_of(about);
  about.hook = name_;
  surroundings_.log.write(
      level, tag.empty() ? fmt::format("hook {}: {}", label_, text) : fmt::format("hook {} {}: {}", label_, tag, text),
      about);
  if (!surroundings_.explain) return;
  auto why = surroundings_.explain(name_, text);
  if (!why || *why == explained_) return;
  explained_ = *std::move(why);
  surroundings_.log.warn(about, "hook {}: {}", label_, explained_);
}

void ErrorOutput::complain(std::string_view text) {
  if (may_log()) surroundings_.log.warn(sys::About{.hook = name_}, "hook {}: {}", label_, text);
}

}  // namespace hooksmtpd::worker
