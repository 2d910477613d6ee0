#include "daemon/worker/keyholder.h"

#include <chrono>
#include <utility>

#include "daemon/tls/ask_keyholder.h"

namespace hooksmtpd::worker {
namespace {

constexpr auto kLimit = std::chrono::seconds(1);

constexpr sys::SignReply kNotSigned{.status = sys::SignStatus::kFailed, .length = 0, .signature = {}};

}  // namespace

Keyholder::Keyholder(sys::Log& log, std::function<void()> lost) : log_(log), lost_(std::move(lost)) {}

sys::SignReply Keyholder::sign(const sys::SignRequest& request) noexcept {
  if (!socket_.valid()) return kNotSigned;
  const auto reply = tls::ask_keyholder(socket_, request, kLimit);
  if (reply) return *reply;
  log_.warn("keyholder lost: {}",
            reply.error() == tls::AskError::kLate ? "no signature within a second" : "it closed its socket");
  socket_.reset();
  lost_();
  return kNotSigned;
}

}  // namespace hooksmtpd::worker
