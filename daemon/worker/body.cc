#include "daemon/worker/body.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace hooksmtpd::worker {

Body::Body(Spool& spool, std::string_view name) : spool_(spool), name_(std::string(name) + ".eml") {}

Body::~Body() {
  withdraw();
  remove_file();
}

void Body::append(std::string_view run) {
  size_ += run.size();
  if (error_ != 0) return;
  if (!file_.valid()) {
    if (memory_.size() + run.size() <= kMaxBodyInMemory) {
      memory_ += run;
      return;
    }
    auto file = spool_.create_incoming(name_);
    if (!file) return fail(file.error());
    file_ = *std::move(file);
    if (const auto moved = write_all(file_, std::exchange(memory_, {})); !moved) return fail(moved.error());
  }
  if (const auto written = write_all(file_, run); !written) fail(written.error());
}

// The message will be refused at its end: what there is of it must not take others' room until then.
void Body::fail(int error) {
  error_ = error;
  memory_ = {};
  remove_file();
}

void Body::remove_file() {
  if (!file_.valid()) return;
  file_.reset();
  spool_.remove_incoming(name_);
}

std::expected<std::string, int> Body::place_for(const std::string& hook) {
  withdraw();
  if (error_ != 0) return std::unexpected(error_);
  const auto placed = file_.valid() ? spool_.link_to_hook(hook, name_) : spool_.write_to_hook(hook, name_, memory_);
  if (!placed) return std::unexpected(placed.error());
  holder_ = hook;
  return spool_.path_for_hook(hook, name_);
}

std::string Body::head(std::size_t most) const {
  if (!file_.valid()) return memory_.substr(0, most);
  std::string octets(std::min<std::uint64_t>(most, size_), '\0');
  std::size_t got = 0;
  while (got < octets.size()) {
    const ssize_t read = pread(file_.get(), octets.data() + got, octets.size() - got, static_cast<off_t>(got));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) break;
    got += static_cast<std::size_t>(read);
  }
  octets.resize(got);
  return octets;
}

void Body::withdraw() {
  if (!holder_.empty()) spool_.remove_from_hook(std::exchange(holder_, {}), name_);
}

}  // namespace hooksmtpd::worker
