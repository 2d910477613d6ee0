#include "daemon/worker/body.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace hooksmtpd::worker {
namespace {

constexpr std::size_t kCopiedAtOnce = 64 * 1024;

}  // namespace

Body::Body(Spool& spool, std::string_view transaction) : spool_(spool), memory_(spool.take_memory()) {
  constexpr std::string_view kType = ".eml";
  name_.reserve(transaction.size() + kType.size());
  name_.append(transaction).append(kType);
}

Body::~Body() {
  withdraw();
  remove_file();
  spool_.keep_memory(std::move(memory_));
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
  auto placed = file_.valid() ? spool_.link_to_hook(hook, name_) : spool_.write_to_hook(hook, name_, memory_);
  if (!placed) return std::unexpected(placed.error());
  holder_ = hook;
  placed_ = *std::move(placed);
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

// Whoever has the file open, or a link to it, has the message as it was: a new one takes its place.
std::expected<void, int> Body::insert(std::size_t offset, std::string_view octets) {
  withdraw();
  if (error_ != 0) return std::unexpected(error_);
  if (!file_.valid()) {
    memory_.insert(offset, octets);
    size_ += octets.size();
    return {};
  }
  std::string name = fmt::format("{}.{}.eml", name_.substr(0, name_.find('.')), ++version_);
  auto file = spool_.create_incoming(name);
  if (!file) return std::unexpected(file.error());
  auto done = copy_file(0, offset, *file);
  if (done) done = write_all(*file, octets);
  if (done) done = copy_file(offset, size_ - offset, *file);
  if (!done) {
    spool_.remove_incoming(name);
    return done;
  }
  remove_file();
  file_ = *std::move(file);
  name_ = std::move(name);
  size_ += octets.size();
  return {};
}

std::expected<void, int> Body::copy_file(std::uint64_t offset, std::uint64_t octets, const sys::Fd& to) const {
  std::array<char, kCopiedAtOnce> piece;
  while (octets > 0) {
    const auto wanted = std::min<std::uint64_t>(octets, piece.size());
    const ssize_t got = pread(file_.get(), piece.data(), wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::unexpected(got < 0 ? errno : EIO);
    const auto read = static_cast<std::size_t>(got);
    if (const auto written = write_all(to, {piece.data(), read}); !written) return written;
    offset += read;
    octets -= read;
  }
  return {};
}

void Body::withdraw() {
  if (!holder_.empty()) spool_.remove_from_hook(std::exchange(holder_, {}), std::exchange(placed_, {}));
}

}  // namespace hooksmtpd::worker
