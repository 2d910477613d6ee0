#include "daemon/worker/fallback.h"

#include <cerrno>

namespace hooksmtpd::worker::fallback {
namespace {

using mail::Action;
using mail::Verdict;

}  // namespace

Verdict on_failure(config::OnFailure policy) {
  switch (policy) {
    case config::OnFailure::kTempfail:
      return {.action = Action::kDefer, .code = 0, .enhanced = "", .text = {}};
    case config::OnFailure::kAccept:
      return {};
    case config::OnFailure::kReject:
      return {.action = Action::kReject, .code = 0, .enhanced = "", .text = {}};
  }
  return {.action = Action::kDefer, .code = 0, .enhanced = "", .text = {}};
}

Verdict on_full_queue(config::HookEvent event) {
  if (event == config::HookEvent::kValidateHost || event == config::HookEvent::kAuth) {
    return on_failure(config::OnFailure::kTempfail);
  }
  return {.action = Action::kDefer, .code = 451, .enhanced = "4.3.2", .text = {"System is busy, try again later"}};
}

Verdict on_spool_error(int error) {
  if (error != ENOSPC && error != EDQUOT) return on_failure(config::OnFailure::kTempfail);
  return {.action = Action::kDefer,
          .code = 452,
          .enhanced = "4.3.1",
          .text = {"Insufficient system storage, try again later"}};
}

// Its recipients leave room (kMaxRecipientsRoom of proto/smtp/limits.h), so it is the tree of the message that does not
// fit.
Verdict on_long_delivery() {
  return {.action = Action::kReject,
          .code = 554,
          .enhanced = "5.6.0",
          .text = {"The parts of the message take more than can be passed on"}};
}

}  // namespace hooksmtpd::worker::fallback
