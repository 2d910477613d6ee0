#include "daemon/worker/body.h"

#include <utility>

namespace hooksmtpd::worker {

Body::Body(const Spool& spool, std::string_view name) : spool_(spool), name_(std::string(name) + ".eml") {}

Body::~Body() {
  withdraw();
  if (file_.valid()) spool_.remove_incoming(name_);
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
    if (!file) {
      error_ = file.error();
      return;
    }
    file_ = *std::move(file);
    const auto moved = write_all(file_, std::exchange(memory_, {}));
    if (!moved) error_ = moved.error();
  }
  if (error_ != 0) return;
  if (const auto written = write_all(file_, run); !written) error_ = written.error();
}

std::expected<std::string, int> Body::place_for(const std::string& hook) {
  withdraw();
  if (error_ != 0) return std::unexpected(error_);
  const auto placed = file_.valid() ? spool_.link_to_hook(hook, name_) : spool_.write_to_hook(hook, name_, memory_);
  if (!placed) return std::unexpected(placed.error());
  holder_ = hook;
  return spool_.path_for_hook(hook, name_);
}

void Body::withdraw() {
  if (!holder_.empty()) spool_.remove_from_hook(std::exchange(holder_, {}), name_);
}

}  // namespace hooksmtpd::worker
